-- A mirror that restarts throws away a good copy.
--
-- Both nodes have all five messages. B2's process dies and is back two seconds later, with its file intact. It cannot
-- know what became of the queue meanwhile, so it begins empty. Nobody publishes any more; nothing shows that the queue
-- has one copy now. Then B1 dies, B2 leads an empty queue, and B1 too begins empty when it is back: two crashes, one
-- after the other, of two machines that lost nothing.
--
-- A person who looks sees the mirror unsynchronised, and says so: rabbitmqctl sync_queue. Automatic synchronisation
-- does it without the person. A quorum queue compares logs, and a replica that comes back goes on where it was.
--
-- Source: RabbitMQ 3.13, Classic Queue Mirroring (stopping nodes and synchronisation).
return scenario {
  title = "Two crashes in a row empty a mirrored queue",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { profile = "3.13", brokers = 2 },
  topics = { orders = { ha_mode = "all" } },
  clients = {
    producer "P1" { topic = "orders", records = 5, every = ms(500), start_at = seconds(3), connects_to = "B1" },
    consumer "C" { topics = { "orders" }, start_at = seconds(30), connects_to = "B2", recovery_interval = seconds(1) },
  },
  faults = {
    at(seconds(8), kill "B2" { duration = seconds(2) }),
    at(seconds(20), kill "B1" { duration = seconds(15) }),
  },
  run_for = seconds(60),
  expect = { reaches "node_down" },
  cases = {
    case "nobody looked" {
      why = "The mirror is empty, and it is the oldest that lives.",
      expect = { reaches "mirror_promoted", violates "lost-message" },
    },
    case "rabbitmqctl sync_queue" {
      why = "An operator asks for it while both live.",
      faults = { at(seconds(15), command("B1", "sync_queue", "orders.C")) },
      expect = { reaches "mirror_synchronised", holds "lost-message" },
    },
    case "automatic synchronisation" {
      why = "As soon as it is back.",
      set = { ha_sync_mode = "automatic" },
      expect = { reaches "mirror_synchronised", holds "lost-message" },
    },
    case "quorum queue" {
      why = "The log is on disk, and what is there counts.",
      set = { ha_mode = "none", queue_type = "quorum", ["cluster.brokers"] = 3 },
      expect = { holds "lost-message" },
    },
  },
}
