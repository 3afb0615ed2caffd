-- A message that kills its consumer, and the others that were beside it.
--
-- C takes up to ten messages at once. One of them ends its process, twice. All ten go back each time, and each has
-- one failed delivery more, whether C had looked at it or not. After the limit all ten are given up: nine that
-- nobody ever had trouble with.
--
-- A dead-letter topic keeps them, among what really failed.
--
-- With a prefetch of one the message that kills stands alone, and is given up alone.
--
-- Source: RabbitMQ, Quorum Queues (poison message handling); rabbit_fifo (return_one).
return scenario {
  title = "Quorum queue: a crash is charged to all that was prefetched",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = { queue_type = "quorum", delivery_limit = 1 }, dead = {} },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(1), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, max_poll = 1, work = ms(500), effect = "mail", recovery_interval = ms(500) },
  },
  faults = {
    at(ms(1200), kill "C" { duration = ms(500) }),
    at(ms(1900), kill "C" { duration = ms(500) }),
  },
  run_for = seconds(30),
  cases = {
    case "prefetch 10" {
      why = "Ten are out, ten are charged.",
      set = { prefetch = 10 },
      expect = { reaches "message_dropped", violates "silent-drop" },
    },
    case "prefetch 10, and a dead-letter topic" {
      why = "Nobody failed on them, and there they lie.",
      set = { prefetch = 10, ["orders.dead_letter"] = "dead" },
      expect = { reaches "message_dead_lettered", violates "dlq-misroute", holds "dlq-loss" },
    },
    case "prefetch 1" {
      why = "One is out, one is charged.",
      set = { prefetch = 1 },
      expect = { reaches "message_dropped", holds "silent-drop" },
    },
  },
}
