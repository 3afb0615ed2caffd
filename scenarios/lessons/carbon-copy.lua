-- A carbon copy is part of the letter: where the copy is refused, the letter counts as refused.
--
-- Bills go to `billing`, and a copy to `audit`: the publisher names a second routing key in the header CC (the header BCC does the
-- same, and nobody who gets the message sees it). The auditors come late, and their queue has room for three. When it refuses, the
-- broker answers basic.nack, although billing has its copy already; there is one answer for a message, whatever number of queues.
-- So the publisher sends again, and again, and billing does bills twice.
--
-- A queue that drops its oldest refuses nothing: then billing is left in peace, and the auditors never learn what they missed. A copy
-- that must not hold up the letter belongs into a queue with room.
--
-- Source: RabbitMQ, Sender-selected Distribution (docs sender-selected); docs confirms, maxlength; rabbit_confirms.
return scenario {
  title = "A carbon copy that is refused",
  chapter = "docs/rabbitmq/01-the-post-office.md",
  cluster = rabbitmq {},
  topics = {
    mail = { exchange = "topic", binding_keys = { "billing" } },
    audit = { exchange = "fanout", sources = { "mail" }, source_keys = { "audit" }, max_length = 3, overflow = "reject-publish" },
  },
  clients = {
    producer "P" { topic = "mail", routing_key = "billing", cc = { "audit" }, records = 6, every = seconds(1), resend = true, resend_limit = 20, refused_backoff = seconds(2) },
    consumer "billing" { topics = { "mail" }, effect = "bill" },
    consumer "auditors" { topics = { "audit" }, start_at = seconds(12) },
  },
  run_for = seconds(30),
  expect = { holds "lost-message" },
  cases = {
    case "a copy that is refused" {
      why = "One of two queues refuses: the answer is no, and billing has it nevertheless.",
      expect = { violates "effect-duplicate" },
    },
    case "a blind copy that is refused" {
      why = "BCC hides the key from readers, not from the broker.",
      set = { ["P.cc"] = {}, ["P.bcc"] = "audit" },
      expect = { violates "effect-duplicate" },
    },
    case "a copy that is dropped" {
      why = "The oldest goes, nothing is refused, and nobody is told.",
      set = { ["audit.overflow"] = "drop-head" },
      expect = { holds "effect-duplicate" },
    },
  },
}
