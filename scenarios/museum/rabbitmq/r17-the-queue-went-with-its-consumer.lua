-- A queue that goes with its last consumer is not there while the consumer comes back.
--
-- The queue has a fixed name and is auto-delete. C's process is started anew, which takes two seconds: with its
-- connection the last consumer of the queue is gone, and the queue with it. C declares it again when it is back, and
-- sees nothing wrong. What P1 published meanwhile went nowhere, and each message of it is confirmed.
--
-- A durable queue that expires when nobody has used it for a minute outlives the restart, and is cleaned up all the same.
--
-- Source: RabbitMQ, Queues ("auto-delete", the race of a fixed name and a reconnection); x-expires.
return scenario {
  title = "An auto-delete queue and a consumer that is started anew",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(100), start_at = seconds(1) },
    consumer "C" { topics = { "orders" } },
  },
  faults = { at(seconds(2), kill "C" { duration = seconds(2) }) },
  run_for = seconds(20),
  cases = {
    case "auto-delete" {
      why = "Without a consumer there is no queue.",
      set = { ["orders.auto_delete"] = true },
      expect = { reaches "queue_deleted", reaches "message_unroutable", violates "lost-message" },
    },
    case "x-expires" {
      why = "It waits for a minute.",
      set = { ["orders.expires"] = minutes(1) },
      expect = { holds "lost-message" },
    },
  },
}
