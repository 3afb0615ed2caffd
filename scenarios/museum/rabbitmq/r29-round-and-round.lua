-- A message that nobody can work on, and a consumer that gives it back each time.
--
-- Two of twelve orders are broken. C gives back what fails, and a classic queue puts it where it was: at the head. C gets
-- nothing else any more, fails two hundred times a second, and ten good orders wait behind.
--
-- A quorum queue with a limit of five gives the broken ones up after six deliveries and puts them aside.
--
-- Source: RabbitMQ, Consumer Acknowledgements ("requeue/redelivery loop"); Quorum Queues (poison message handling).
return scenario {
  title = "Given back for ever",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { profile = "4.2" },
  topics = { orders = {}, dead = {} },
  clients = {
    producer "P1" { topic = "orders", records = 12, every = ms(10), start_at = seconds(1) },
    consumer "C" {
      topics = { "orders" }, prefetch = 1, max_poll = 1, work = ms(5), effect = "mail", ack = "release_failed",
      poison = { "P1-1", "P1-2" }, on_failure = "skip",
    },
  },
  run_for = seconds(20),
  drain = false,
  cases = {
    case "a classic queue" {
      why = "It counts nothing.",
      expect = { violates "amplification" },
    },
    case "a quorum queue with a limit" {
      why = "Five returns, and it is put aside.",
      set = { ["orders.queue_type"] = "quorum", ["orders.delivery_limit"] = 5, ["orders.dead_letter"] = "dead" },
      expect = { reaches "message_dead_lettered", holds "amplification" },
    },
  },
}
