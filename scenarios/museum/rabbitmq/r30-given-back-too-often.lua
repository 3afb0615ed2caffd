-- A limit on deliveries is a limit on patience.
--
-- What the work on an order needs is down for a minute. C gives each order back that it cannot do, and gets
-- it again at once. A quorum queue of 4.2 counts: after the 21st failed delivery it drops the message, and
-- nobody has told it where dead letters go. The outage takes orders away for good.
--
-- With a dead-letter topic they are kept for somebody to look at. Without a limit they go round until the
-- outage is over.
--
-- Source: RabbitMQ 4.0 release notes (a delivery limit of 20 by default); rabbit_fifo.
return scenario {
  title = "Twenty-one deliveries, and the message is gone",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { profile = "4.2" },
  topics = { orders = { queue_type = "quorum" }, dead = {} },
  clients = {
    producer "P1" { topic = "orders", records = 3, every = ms(100), start_at = seconds(1) },
    consumer "C" {
      topics = { "orders" }, prefetch = 1, max_poll = 1, work = ms(500), effect = "mail", ack = "release_failed",
      poison = { "P1-1", "P1-2" }, poison_until = seconds(60), on_failure = "skip",
    },
  },
  run_for = seconds(120),
  cases = {
    case "20, and no dead letters" {
      why = "The limit is there by default, the dead letters are not.",
      expect = { reaches "message_dropped" },
    },
    case "20, and a dead-letter topic" {
      why = "What is given up is put aside.",
      set = { ["orders.dead_letter"] = "dead" },
      expect = { reaches "message_dead_lettered", holds "lost-message" },
    },
    case "no limit" {
      why = "It goes round until the work succeeds.",
      set = { ["orders.delivery_limit"] = -1 },
      expect = { holds "effect-lost", holds "lost-message" },
    },
  },
}
