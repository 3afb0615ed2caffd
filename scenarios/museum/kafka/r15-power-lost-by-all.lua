-- Three copies, acks=all, min_insync=2, every rule of the present: and the last half minute is gone.
--
-- When a broker says that it has a record, the record is in the page cache of its machine. Kafka does
-- not sync on the way to the answer; the operating system writes dirty pages back when they are some
-- 30 s old. A process may die and lose nothing of that. A machine that loses power loses all that was
-- not written back yet.
--
-- Kafka's answer is replication: it takes several machines that fail together to lose a record. Here
-- they do: all three brokers hang on one power supply. Each comes back with a log that ends 30 s
-- earlier. Whoever leads then, there is no copy left to elect, and the next records take the offsets
-- of those that were acknowledged.
--
-- Two ways out. Independent power: one machine loses its tail, the two others have it, one of them
-- leads, and the first fetches again what it lost. Or log.flush.interval.messages=1: every record is
-- on the platter before it counts as held, so the power may go wherever it likes; the price is a sync
-- for each append, on every replica, in the way of every answer. (The controller calls the election
-- after that an unclean one too: after three unclean stops it can't know that nothing was lost.)
--
-- Source: Kafka's operations page, "Application vs. OS Flush Management"; KIP-966 on unclean shutdowns.
return scenario {
  title = "All replicas lose power together",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = seconds(2), start_at = seconds(5), acks = "all" },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(op "send ok" { from = "P1", nth = 30 }, power "B1" { duration = seconds(10) }),
  },
  run_for = seconds(120),
  expect = { reaches "power_lost", reaches "leader_elected" },
  cases = {
    case "one power supply" {
      why = "Every copy was in a page cache.",
      set = { ["cluster.shared_power"] = true },
      expect = { reaches "partition_offline", violates "lost-message", violates "truncated-commit" },
    },
    case "three power supplies" {
      why = "Two of three copies are still there.",
      set = { ["cluster.shared_power"] = false },
      expect = { holds "lost-message", holds "truncated-commit", holds "duplicate" },
    },
    case "one power supply, flush_messages=1" {
      why = "Every copy is on a platter before it counts.",
      set = { ["cluster.shared_power"] = true, ["cluster.flush_messages"] = 1 },
      expect = { reaches "partition_offline", holds "lost-message", holds "truncated-commit", holds "duplicate" },
    },
  },
}
