-- A durable queue, and in it a message that is not.
--
-- The queue survives the restart of its node. Whether a message does is the message's own business: delivery
-- mode 2. P1 publishes with mode 1, which many libraries take by default; each publish is confirmed, and
-- after the restart the queue is there, and empty.
--
-- Source: RabbitMQ, Queues (durability), AMQP 0-9-1 delivery-mode.
return scenario {
  title = "The queue comes back, the messages do not",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(100), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, start_at = seconds(10) },
  },
  faults = { at(seconds(3), kill "B1" { duration = seconds(2) }) },
  run_for = seconds(30),
  cases = {
    case "transient" {
      why = "Mode 1 is memory, wherever it lies.",
      set = { persistent = false },
      expect = { violates "lost-message" },
    },
    case "persistent" { why = "Mode 2 is in the file.", set = { persistent = true }, expect = { holds "lost-message" } },
    case "transient, in a quorum queue" {
      why = "It writes all that it takes, whatever the mode.",
      set = { persistent = false, queue_type = "quorum" },
      expect = { holds "lost-message" },
    },
  },
}
