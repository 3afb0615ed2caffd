-- One broker, one copy, acks=all. What takes a record away: a crash, or the plug?
--
-- With one replica "all" is that one broker, and it answers when the record is in the page cache of
-- its machine. The page cache belongs to the operating system, not to the process. So if the process
-- is killed, even with SIGKILL, even in the middle of a write, the operating system still has every
-- byte, and the broker finds its log complete when it starts again. If the power goes, the page cache
-- goes with it: what was written in the last 30 s, and not synced since, is lost, acknowledged or not.
--
-- This is why tests that kill brokers say little about durability: kill and power are different
-- faults. Try both. (The controller can't tell one from the other: after either it calls the election
-- of B1 an unclean one.)
--
-- Two ways out, as for every copy: sync before the answer (flush_messages=1), or have more copies on
-- machines that do not fail together (replicas=3, min_insync=2).
--
-- Source: Kafka's operations page, "Application vs. OS Flush Management"; write(2) and fsync(2).
return scenario {
  title = "One replica: killed, or without power",
  chapter = "docs/kafka/01-the-log.md",
  cluster = kafka { brokers = 3, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 1 } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = seconds(2), start_at = seconds(5), acks = "all" },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(op "send ok" { from = "P1", nth = 30 }, power "B1" { duration = seconds(10) }),
  },
  run_for = seconds(120),
  expect = { reaches "leader_elected" },
  cases = {
    case "kill" {
      why = "The process is gone, the page cache is not.",
      only_faults = { when(op "send ok" { from = "P1", nth = 30 }, kill "B1" { duration = seconds(10) }) },
      expect = { reaches "killed", reaches "partition_offline", holds "lost-message", holds "truncated-commit" },
    },
    case "power" {
      why = "The page cache is gone too.",
      expect = { reaches "power_lost", violates "lost-message", violates "truncated-commit" },
    },
    case "power, flush_messages=1" {
      why = "Synced before the answer.",
      set = { ["cluster.flush_messages"] = 1 },
      expect = { reaches "power_lost", holds "lost-message", holds "truncated-commit", holds "duplicate" },
    },
    case "power, replicas=3" {
      why = "Two more machines have it.",
      set = { ["orders.replicas"] = 3 },
      expect = { reaches "power_lost", holds "lost-message", holds "truncated-commit", holds "duplicate" },
    },
  },
}
