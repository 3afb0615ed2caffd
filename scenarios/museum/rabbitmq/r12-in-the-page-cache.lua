-- "Persistent" and "confirmed" do not say "on the disk".
--
-- A classic queue writes a persistent message to its file and confirms it. The file is in the page cache of
-- the operating system, and the machine loses power before it was written back: the queue comes back
-- empty. The death of the process alone would have cost nothing.
--
-- Up to 3.10 the queue synced before it confirmed. A quorum queue does so always: its log is synced before
-- anything else happens.
--
-- Source: rabbit_classic_queue_store_v2 (no fsync), rabbit_queue_index of 3.10; RabbitMQ, Quorum Queues.
return scenario {
  title = "Power lost between the confirm and the write-back",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(100), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, start_at = seconds(10) },
  },
  faults = { at(seconds(3), power "B1" { duration = seconds(2) }) },
  run_for = seconds(30),
  cases = {
    case "classic queue" {
      why = "The confirm came from the page cache.",
      expect = { violates "lost-message" },
    },
    case "classic queue, synced" {
      why = "As 3.10 did it.",
      set = { classic_fsync = true },
      expect = { holds "lost-message" },
    },
    case "quorum queue" {
      why = "The log is synced before the confirm.",
      set = { queue_type = "quorum" },
      expect = { holds "lost-message" },
    },
    case "only the process dies" {
      why = "The page cache belongs to the machine.",
      only_faults = { at(seconds(3), kill "B1" { duration = seconds(2) }) },
      expect = { holds "lost-message" },
    },
  },
}
