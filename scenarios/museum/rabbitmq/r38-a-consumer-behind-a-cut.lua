-- A consumer on the far side of a cut works on, and its message is handed out again.
--
-- The queue's leader is on B1, C1 is connected to B3. The connection between B3 and the others breaks for half a
-- minute, and C1 notices nothing: it goes on with what it has. Up to 4.2 the leader takes every channel over there
-- for gone and puts its messages back at once, as failed. Whoever has room first gets them (C2 is busy, so it is C1
-- itself, once more), and the work is done twice.
--
-- From 4.3 on the queue waits a minute before it does so: --on rabbitmq:4.3, and a cut that is shorter costs
-- nothing but time. Before, a consumer is safe from this on the leader's node alone.
--
-- Source: RabbitMQ, Quorum Queues (consumer_disconnected_timeout); rabbit_fifo_v7 and rabbit_fifo, down noconnection.
return scenario {
  title = "Quorum queue: the node of a consumer is not reachable",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { profile = "4.2", brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 2, every = ms(10), start_at = seconds(15), connects_to = "B1" },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = seconds(100), effect = "mail", connects_to = "B3", heartbeat = 0 },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = seconds(100), effect = "mail", connects_to = "B1", heartbeat = 0 },
  },
  faults = {
    at(seconds(20), partition { { "B3", "C1" }, { "B1", "B2", "P1", "C2" } }),
    at(seconds(20), reset_streams { from = "B3", to = { "B1", "B2" } }),
    at(seconds(50), heal()),
  },
  run_for = seconds(500),
  expect = { holds "lost-message" },
  cases = {
    case "on another node" {
      why = "Not reachable counts as gone.",
      expect = { violates "effect-duplicate" },
    },
    case "beside the leader" {
      why = "Nothing is cut between the two.",
      set = { ["C1.connects_to"] = "B1" },
      expect = { holds "effect-duplicate" },
    },
  },
}
