-- One message that was never sent again, and all that came after it wait behind the gap.
--
-- P1 publishes at B3, and the queue's leader is on B1. The two lose each other for two seconds, their connection breaks, and
-- the leader stays the leader. What P1's channel had handed on was lost with the connection; the channel kept it, to send it
-- again when a leader is elected. None is: it was never away. The queue numbers what a channel sends and does not take a number out of turn, so
-- nothing of this channel is taken any more, and nothing of it is refused either.
--
-- Since the fix the channel sends again as soon as it reaches the leader's node again.
--
-- Source: rabbitmq-server #14589 (fixed in 4.2); rabbit_fifo (maybe_enqueue), rabbit_fifo_client.
return scenario {
  title = "Quorum queue: a gap that nobody fills",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 36, every = seconds(2), start_at = seconds(10), connects_to = "B3", confirm_timeout = seconds(10) },
    consumer "C" { topics = { "orders" }, connects_to = "B1" },
  },
  faults = {
    at(ms(19800), partition { { "B3" }, { "B1" } }),
    at(ms(20800), reset_streams { from = "B3", to = "B1" }),
    at(seconds(22), heal()),
  },
  run_for = seconds(180),
  expect = { reaches "leader_elected", holds "lost-message" },
  cases = {
    case "before the fix" {
      why = "It waits for an election that does not come.",
      set = { resends_after_cut = false },
      expect = { violates "unavailable" },
    },
    case "since the fix" {
      why = "It sends again when it can.",
      expect = { holds "unavailable" },
    },
  },
}
