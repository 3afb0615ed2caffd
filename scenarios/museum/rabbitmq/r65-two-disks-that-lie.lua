-- A majority of disks that lie is a majority that may forget.
--
-- The disks of B1 and B2 answer each sync with "done" and do nothing: a controller with a cache and no battery. The queue
-- confirms what two nodes have synced, as it says. B3 is down meanwhile, as one node may be. Then the power fails, in the
-- rack where B1 and B2 are. They come back with empty logs, agree on that, and the queue goes on without what it had
-- confirmed. B3 has some of it, and is overruled.
--
-- With honest disks all is there. Nothing that a program does can make up for a sync that did not happen.
--
-- Source: Raft (what is stored on stable storage must stay); RabbitMQ, Quorum Queues (fsync).
return scenario {
  title = "Quorum queue: synced, said the disk",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(200), start_at = seconds(15), connects_to = "B1", resend = true, recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, start_at = seconds(60), recovery_interval = seconds(1) },
  },
  faults = {
    at(seconds(10), sync_lies { "B1", "B2", duration = seconds(15) }),
    at(seconds(17), kill "B3" { duration = seconds(10) }),
    at(seconds(20), power "B1" { duration = seconds(2) }, power "B2" { duration = seconds(2) }),
  },
  run_for = seconds(120),
  expect = { reaches "leader_elected" },
  cases = {
    case "two lie" {
      why = "What the majority had was in memory.",
      expect = { violates "lost-message" },
    },
    case "none lies" {
      why = "What was confirmed is on two disks.",
      only_faults = {
        at(seconds(17), kill "B3" { duration = seconds(10) }),
        at(seconds(20), power "B1" { duration = seconds(2) }, power "B2" { duration = seconds(2) }),
      },
      expect = { holds "lost-message" },
    },
  },
}
