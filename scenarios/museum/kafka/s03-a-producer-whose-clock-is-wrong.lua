-- Whose clock says how old a record is?
--
-- The topic keeps its records for seven days. P1's clock is eight days behind: a battery, a wrong
-- time zone, or an import of old orders with their own times. Under CreateTime, the default, a record's
-- time is what its producer says. Retention asks nothing else: it compares the newest time in a segment
-- with the broker's clock. To a broker these records were a week old when they were written.
--
-- C reads a quarter of an hour after P1 began. Five minutes after its start the broker had looked for old
-- segments and had found that everything in the log was expired, the segment that is being written to
-- included. Acknowledged by all replicas, younger than an hour, and gone, with no error for anybody.
--
-- Either fix makes the broker's clock count. With LogAppendTime the leader stamps each record itself.
-- With message.timestamp.before.max.ms it refuses what is too old: the producer is told at once, and a
-- record that was never acknowledged is not lost. (The other way round, a time that lies ahead would keep
-- a segment for years; since 4.0 one that is an hour ahead is refused by default.)
--
-- Source: UnifiedLog.deleteRetentionMsBreachedSegments, LogValidator; KIP-32, KIP-937, KIP-1030.
return scenario {
  title = "A producer's clock decides how long its records live",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" {
      topic = "orders", records = 20, every = seconds(10), start_at = seconds(5), timestamp_offset = -days(8),
    },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = minutes(15) },
  },
  run_for = minutes(16),
  cases = {
    case "timestamp_type=create" {
      why = "The producer says when it was.",
      set = { timestamp_type = "create" },
      expect = { reaches "segment_deleted", violates "silent-drop" },
    },
    case "timestamp_type=append" {
      why = "The leader says when it was.",
      set = { timestamp_type = "append" },
      expect = { holds "silent-drop", holds "lost-message" },
    },
    case "timestamp_before_max=1d" {
      why = "What is too old is not taken, and the producer knows.",
      set = { timestamp_before_max = days(1) },
      expect = { reaches "invalid_timestamp" },
    },
  },
}
