-- A message that is given back to a full queue is the first that the queue drops.
--
-- The queue may hold one message. C holds the first one, which does not count, and P1 publishes a second:
-- the queue is full. C cannot do its work now and gives the message back. It returns to its place at the
-- head, the queue is one too long, and drops its head: the very message that came back, confirmed and
-- never done.
--
-- With reject-publish nothing is dropped: a queue that grew too long by what came back refuses what is new.
--
-- Source: rabbit_amqqueue_process (the limit holds after a requeue as well); RabbitMQ, Queue Length Limit.
return scenario {
  title = "Requeued, and dropped for it",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = { max_length = 1 } },
  clients = {
    producer "P1" { topic = "orders", records = 2, every = seconds(1), start_at = seconds(1), resend = true, resend_limit = 1000 },
    consumer "C" {
      topics = { "orders" }, prefetch = 1, max_poll = 1, work = seconds(3), ack = "release_failed", effect = "mail",
      poison = { "P1-1" }, poison_until = seconds(6), on_failure = "skip",
    },
  },
  run_for = seconds(40),
  cases = {
    case "drop-head" {
      why = "Its head is what came back.",
      expect = { reaches "message_dropped" },
    },
    case "reject-publish" {
      why = "What is there stays.",
      set = { ["orders.overflow"] = "reject-publish" },
      expect = { holds "effect-lost", holds "lost-message" },
    },
  },
}
