-- A compacted topic keeps the last value of each key. What does a reader miss that comes later?
--
-- P1 writes a new price for one of four articles each minute. The topic is compacted: when a segment is
-- closed, and more than half of the log has not been looked at yet, the cleaner of each broker keeps the
-- last record of each key and drops the earlier ones. Nothing is renumbered, so offsets are missing now.
--
-- C comes two hours later and reads from the beginning. It ends with the right price of every article,
-- and it never sees most of the prices that there were. Who only wants the latest state loses nothing.
-- Who counts, adds up, or reacts to each change has lost records that were acknowledged, and no error
-- tells so: an offset that is missing looks like any other step to the next record.
--
-- With min.compaction.lag.ms no record is touched for so long after it was written; longer than the
-- slowest reader lags, and every reader sees every change. With cleanup.policy=delete records go by age
-- alone, a week here.
--
-- Source: LogCleanerManager.cleanableOffsets, Cleaner.shouldRetainRecord; KIP-58 (min.compaction.lag.ms).
return scenario {
  title = "Compaction drops the steps in between",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { prices = { partitions = 1, replicas = 3, cleanup_policy = "compact", segment_time = minutes(10) } },
  clients = {
    producer "P1" { topic = "prices", records = 100, every = minutes(1), start_at = seconds(5), keys = 4 },
    consumer "C" { topics = { "prices" }, auto_offset_reset = "earliest", start_at = hours(2) },
  },
  run_for = minutes(130),
  expect = { reaches "segment_rolled", holds "lost-message" },
  cases = {
    case "compact" {
      why = "Only the last record of a key is promised.",
      expect = { reaches "log_compacted", violates "silent-drop" },
    },
    case "compact, min_compaction_lag=3h" {
      why = "No reader lags that long.",
      set = { min_compaction_lag = hours(3) },
      expect = { holds "silent-drop" },
    },
    case "delete" {
      why = "Every record stays, until it is old.",
      set = { cleanup_policy = "delete" },
      expect = { holds "silent-drop" },
    },
  },
}
