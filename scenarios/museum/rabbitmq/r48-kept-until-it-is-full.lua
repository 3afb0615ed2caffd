-- Dead letters that are kept count, and a queue full of them takes nothing else.
--
-- The queue holds ten orders and refuses more; its dead letters are kept until they are safe elsewhere. Elsewhere does not
-- exist: the name is misspelt. C refuses one order after the other, and each stays, out of sight. After ten of them every
-- publish is refused, although C is idle and the queue looks empty.
--
-- With a topic of that name the dead letters leave, and orders come in.
--
-- Source: RabbitMQ, Quorum Queues (at-least-once dead lettering, "may fill the source queue").
return scenario {
  title = "Ten dead letters with nowhere to go",
  chapter = "docs/rabbitmq/03-dead-letters.md",
  cluster = rabbitmq {},
  topics = {
    orders = { queue_type = "quorum", max_length = 10, overflow = "reject-publish", dead_letter = "daed", dead_letter_strategy = "at-least-once" },
    dead = {},
  },
  clients = {
    producer "P1" { topic = "orders", records = 50, every = seconds(2), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, max_poll = 1, ack = "reject_failed", poison_until = hours(1), on_failure = "skip", poison = {
      "P1-1", "P1-2", "P1-3", "P1-4", "P1-5", "P1-6", "P1-7", "P1-8", "P1-9", "P1-10", "P1-11", "P1-12",
    } },
  },
  run_for = seconds(120),
  cases = {
    case "nowhere to go" {
      why = "They fill the queue that they left.",
      expect = { reaches "dead_letter_kept", violates "unavailable" },
    },
    case "somewhere to go" {
      why = "They are elsewhere, and do not count.",
      set = { ["orders.dead_letter"] = "dead" },
      expect = { reaches "message_dead_lettered", holds "unavailable", holds "lost-message" },
    },
  },
}
