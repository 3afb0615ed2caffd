-- A full queue that refuses tells those who listen for confirms, and nobody else.
--
-- The queue may hold three messages and refuses more (reject-publish). The refusal is a basic.nack, which exists on
-- channels in confirm mode only. P1 publishes without confirms: its fourth message is refused, and P1 goes on as if it were
-- there.
--
-- Source: RabbitMQ, Queue Length Limit ("reject-publish ... if publisher confirms are enabled").
return scenario {
  title = "Refused, and nobody is told",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = { max_length = 3, overflow = "reject-publish" } },
  clients = {
    producer "P1" { topic = "orders", records = 4, every = ms(100), start_at = seconds(1), resend = true, resend_limit = 100000 },
    consumer "C" { topics = { "orders" }, start_at = seconds(4) },
  },
  run_for = seconds(20),
  cases = {
    case "without confirms" {
      why = "There is nothing to say it with.",
      set = { confirms = false },
      expect = { reaches "message_dropped", violates "silent-drop" },
    },
    case "without confirms, to a quorum queue" {
      why = "Its channel drops what the queue would refuse.",
      set = { confirms = false, ["orders.queue_type"] = "quorum", ["P1.records"] = 8, ["P1.every"] = ms(200) },
      expect = { reaches "message_dropped", violates "silent-drop" },
    },
    case "with confirms" {
      why = "basic.nack, and P1 sends again.",
      expect = { reaches "publish_rejected", holds "silent-drop", holds "lost-message" },
    },
  },
}
