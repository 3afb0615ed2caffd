-- Two consumers on one queue, and a message that comes back.
--
-- C1 and C2 take the messages of one account in turn. C1 cannot do the first one and gives it back, while
-- C2 has done the second: the queue puts the first where it was, ahead of all that wait, and still it is
-- done after the second. Order in the queue is kept; the order of the work is not.
--
-- With a single active consumer C2 stands by, and the first comes back to C1 before it gets the second.
--
-- Source: RabbitMQ, Broker Semantics (message ordering); Consumers ("single active consumer").
return scenario {
  title = "One account, two consumers, one message given back",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 6, every = ms(1), start_at = seconds(1), keys = 1 },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = ms(200), ack = "release_failed", poison = { "P1-1" }, poison_until = ms(1300), on_failure = "skip" },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = ms(200), ack = "release_failed", start_at = ms(500) },
  },
  run_for = seconds(20),
  cases = {
    case "competing" {
      why = "While one fails, the other goes on.",
      expect = { violates "key-order-violation", holds "lost-message" },
    },
    case "one active consumer" {
      why = "Nobody goes on before it is done.",
      set = { ["orders.single_active_consumer"] = true },
      expect = { reaches "single_active_consumer", holds "key-order-violation", holds "lost-message" },
    },
  },
}
