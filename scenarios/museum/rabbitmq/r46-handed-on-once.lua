-- A dead letter is published once, and nobody waits to hear whether it arrived.
--
-- C refuses three orders, which are to be kept for somebody to look at. The queue for them may hold one, and refuses more.
-- The first is there. The second and third have left one queue and were not let into the other: they are gone, without an
-- error to anybody. The same happens while the other queue's node is down.
--
-- A quorum queue with the at-least-once strategy keeps a dead letter until the other queue has confirmed it, and tries again
-- after three minutes.
--
-- Source: RabbitMQ, Dead Letter Exchanges ("at-most-once"), Quorum Queues (at-least-once dead lettering).
return scenario {
  title = "Dead letters, and nobody to take them",
  chapter = "docs/rabbitmq/03-dead-letters.md",
  cluster = rabbitmq {},
  topics = { orders = { overflow = "reject-publish", dead_letter = "dead" }, dead = { max_length = 1, overflow = "reject-publish" } },
  clients = {
    producer "P1" { topic = "orders", records = 6, every = ms(100), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, max_poll = 1, ack = "reject_failed", poison = { "P1-1", "P1-3", "P1-5" }, on_failure = "skip" },
    consumer "D" { topics = { "dead" }, start_at = seconds(60) },
  },
  run_for = seconds(400),
  expect = { reaches "message_dead_lettered", holds "lost-message" },
  cases = {
    case "at most once" {
      why = "What is refused there is nowhere.",
      expect = { violates "dlq-loss" },
    },
    case "at most once, and the node is down" {
      why = "What can't be reached takes nothing.",
      set = { ["cluster.brokers"] = 2, ["dead.max_length"] = -1, ["P1.connects_to"] = "B2", ["C.connects_to"] = "B2" },
      faults = { at(ms(800), kill "B1" { duration = seconds(10) }) },
      expect = { reaches "node_down", violates "dlq-loss" },
    },
    case "at least once" {
      why = "It stays until it is safe elsewhere.",
      set = { ["orders.queue_type"] = "quorum", ["orders.dead_letter_strategy"] = "at-least-once" },
      expect = { holds "dlq-loss" },
    },
  },
}
