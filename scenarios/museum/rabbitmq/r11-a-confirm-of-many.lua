-- One confirm may speak of many messages.
--
-- The queue syncs its file before it confirms, and what came during one sync is confirmed together: "all up to
-- number five". A publisher that takes this for number five alone waits for the others in vain, gives them
-- up and sends them again. To the broker they are new messages.
--
-- Source: RabbitMQ, Publisher Confirms (the `multiple` field).
return scenario {
  title = "A publisher that overlooks `multiple`",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { classic_fsync = true, sync_latency = ms(20) },
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(2), start_at = seconds(1), resend = true, confirm_timeout = seconds(2) },
    consumer "C" { topics = { "orders" }, start_at = seconds(3), effect = "mail" },
  },
  run_for = seconds(30),
  cases = {
    case "taken for one" {
      why = "Four of five confirms are never heard.",
      set = { misreads_multiple = true },
      expect = { holds "lost-message", violates "effect-duplicate" },
    },
    case "taken for all" { why = "Each number below is confirmed too.", expect = { holds "lost-message", holds "effect-duplicate" } },
  },
}
