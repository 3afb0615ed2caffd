-- A publisher that goes elsewhere cannot take along what it had sent.
--
-- The leader on B1 is cut off from the other two while P1 publishes. P1 loses its connection, goes to B2, and sends again
-- what was not confirmed. There it is a new channel: no queue can see that it has the message already. Whether there are
-- two now depends on one thing: had the first copy reached B2 or B3 before the cut? Then it is in the log of whoever leads
-- next, and the second copy is another message.
--
-- If it had not, it died with B1's part of the log. P1 cannot know which; a message id, and a consumer that looks at it,
-- makes no difference of the two.
--
-- Source: RabbitMQ, Quorum Queues; rabbit_fifo (an enqueuer is a channel), Publisher Confirms ("publishers must resend").
return scenario {
  title = "Quorum queue: cut off, and sent again on another node",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(500), start_at = seconds(15), connects_to = "B1", resend = true, recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, connects_to = "B2", effect = "mail" },
  },
  faults = {
    at(ms(18300), partition { { "B1" }, { "B2", "B3" } }, reset_streams { from = "B1", to = { "B2", "B3" } }, reset_streams { from = "P1", to = "B1" }),
    at(seconds(50), heal()),
  },
  run_for = seconds(120),
  expect = { reaches "leader_elected", reaches "connection_lost", holds "lost-message" },
  cases = {
    case "the first copy arrived" {
      why = "Only the answers were lost: it is in the next leader's log.",
      faults = { at(ms(17900), one_way { from = { "B2", "B3" }, to = { "B1" } }) },
      expect = { violates "effect-duplicate" },
    },
    case "the first copy did not" {
      why = "Nobody but B1 had it.",
      faults = { at(ms(17900), one_way { from = { "B1" }, to = { "B2", "B3" } }) },
      expect = { holds "effect-duplicate" },
    },
  },
}
