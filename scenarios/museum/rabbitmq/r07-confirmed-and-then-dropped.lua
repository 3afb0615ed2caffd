-- A queue with a limit confirms a message, and drops another to make room for it.
--
-- The queue may hold three messages; nobody reads it for a while, and P1 publishes ten. By default a full
-- queue drops from its head: all ten are confirmed, and seven of them are gone before C comes.
--
-- With reject-publish the queue refuses instead, and the refusal reaches P1 as a basic.nack. It sends
-- again until C has made room.
--
-- Source: RabbitMQ, Queue Length Limit; rabbit_amqqueue_process.
return scenario {
  title = "A full queue drops what it has confirmed",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = { max_length = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(100), start_at = seconds(1), resend = true, resend_limit = 100000 },
    consumer "C" { topics = { "orders" }, start_at = seconds(4) },
  },
  run_for = seconds(20),
  cases = {
    case "drop-head" {
      why = "The oldest goes, whatever was said of it.",
      expect = { reaches "message_dropped", violates "silent-drop" },
    },
    case "reject-publish" {
      why = "The newest is refused, and its publisher is told.",
      set = { overflow = "reject-publish" },
      expect = { reaches "publish_rejected", holds "silent-drop", holds "lost-message" },
    },
  },
}
