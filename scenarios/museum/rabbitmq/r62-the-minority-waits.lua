-- A quorum queue and a cut through its cluster: whoever is on the smaller side waits.
--
-- The queue has a replica on each of three nodes. Its leader is cut off together with P1. It goes on taking
-- what P1 publishes, and confirms none of it, for no majority has it. The other two elect a leader. When the
-- cut heals, the old leader steps down, and what P1's channel still waits for goes to the new one, once: it is
-- known by its sender and number.
--
-- If P1 gives up instead, connects to another node and sends again, it is a new sender, and nobody can see
-- that the message is the same.
--
-- Source: RabbitMQ, Quorum Queues; rabbit_fifo_client (resend_all_pending), rabbit_fifo (enqueue).
return scenario {
  title = "Quorum queue: the leader on the wrong side of a cut",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 30, every = ms(500), start_at = seconds(15), connects_to = "B1", heartbeat = seconds(60), confirm_timeout = seconds(120), resend = true, recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, connects_to = "B2", effect = "mail" },
  },
  faults = {
    at(seconds(20), partition { { "B1", "P1" }, { "B2", "B3", "C" } }),
    at(seconds(45), heal()),
  },
  run_for = seconds(120),
  expect = { reaches "leader_elected", holds "lost-message" },
  cases = {
    case "the producer waits" {
      why = "Its channel knows what it has sent.",
      expect = { holds "effect-duplicate" },
    },
    case "the producer gives up" {
      why = "After ten seconds without a confirm it sends again, as a new message.",
      set = { confirm_timeout = seconds(10) },
      expect = { violates "effect-duplicate" },
    },
  },
}
