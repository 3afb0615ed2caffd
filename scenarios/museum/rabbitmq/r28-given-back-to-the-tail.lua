-- A quorum queue without a delivery limit gives a returned message the last place.
--
-- One consumer, so order ought to be no question. It cannot do the first order of an account yet and gives it
-- back. Up to 3.13 a quorum queue has no delivery limit of its own, and without one the queue writes what comes
-- back into its log anew, so that the log can be cut: the message goes to the tail, behind all the others of its
-- account.
--
-- With a limit, however large, it comes back before all that is ready.
--
-- Source: RabbitMQ, Quorum Queues (repeated requeues); rabbit_fifo (handle_aux, requeue). The order was recorded
-- from 3.10.8: tests/conformance/rabbitmq-more.json, cases 13 and 14.
return scenario {
  title = "Quorum queue: a returned message and its place",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { profile = "3.13" },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 6, every = ms(1), start_at = seconds(1), keys = 1 },
    consumer "C" {
      topics = { "orders" }, prefetch = 1, max_poll = 1, work = ms(100), ack = "release_failed",
      poison = { "P1-1" }, poison_until = ms(1150), on_failure = "skip",
    },
  },
  run_for = seconds(20),
  expect = { holds "lost-message" },
  cases = {
    case "no limit" {
      why = "To the tail, as a new entry of the log.",
      expect = { violates "key-order-violation" },
    },
    case "a limit" {
      why = "To the head, until it has come back too often.",
      set = { ["orders.delivery_limit"] = 1000 },
      expect = { holds "key-order-violation" },
    },
    case "a classic queue" {
      why = "To where it was.",
      set = { ["orders.queue_type"] = "classic" },
      expect = { holds "key-order-violation" },
    },
  },
}
