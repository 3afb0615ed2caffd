-- Without a majority a quorum queue stands still, and loses nothing.
--
-- Two of three nodes lose power. The third has all that was confirmed and may not hand it out: it cannot know
-- whether the others decided something else. Publishes wait for their confirms. When one node is back, all
-- goes on.
--
-- A classic queue lives on one node. If that one is lost, nothing of the queue can be reached; what is asked of
-- it is refused at once, and what was in its file comes back with it.
--
-- Source: RabbitMQ, Quorum Queues (quorum requirements); Classic Queues.
return scenario {
  title = "Two nodes of three without power",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { brokers = 3, classic_fsync = true },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(500), start_at = seconds(15), resend = true, recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, recovery_interval = seconds(1) },
  },
  faults = { at(seconds(20), power "B2" { duration = seconds(20) }, power "B3" { duration = seconds(30) }) },
  run_for = seconds(120),
  expect = { reaches "power_lost", reaches "node_down" },
  cases = {
    case "quorum queue" {
      why = "It waits for a majority.",
      expect = { reaches "leader_elected", holds "lost-message" },
    },
    case "classic queue on a node that stays" {
      why = "It lives on B1, and needs nobody else.",
      set = { queue_type = "classic" },
      expect = { holds "lost-message" },
    },
  },
}
