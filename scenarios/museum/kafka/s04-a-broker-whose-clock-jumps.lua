-- The broker's clock jumps. Which records does it think are old?
--
-- The topic keeps its records for seven days, and its leader stamps them (LogAppendTime), so no producer
-- can lie. Then an operator sets the leader's clock, and it stands thirty days ahead: a wrong year on a
-- console, a time server gone mad. Within five minutes the broker looks for old segments. The records of
-- the last minutes are a month old now, by the only clock it has, and the whole log is deleted. Nobody
-- had read it yet. The followers begin where their leader begins.
--
-- The clock need not be the leader's. In the second case it is B2's, a follower's. It deletes its own
-- copy, and nobody notices, until B1 dies and B2 leads.
--
-- CreateTime would be no better, since the broker's clock is the other side of the comparison. What
-- helps is a clock that never jumps that far (slewed, watched), or a limit that asks no clock: in the
-- third case retention.bytes alone says what goes.
--
-- Source: UnifiedLog.deleteRetentionMsBreachedSegments; LogManager.cleanupLogs.
return scenario {
  title = "A clock that jumps ahead makes every record old",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3, timestamp_type = "append" } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = seconds(10), start_at = seconds(5) },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = minutes(15) },
  },
  run_for = minutes(16),
  cases = {
    case "the leader's clock, retention=7d" {
      why = "It deletes for all of them.",
      faults = { at(minutes(4), clock_jump "leader orders/0" { amount = days(30) }) },
      expect = { reaches "segment_deleted", violates "silent-drop" },
    },
    case "a follower's clock, retention=7d" {
      why = "It deletes for itself, and then it leads.",
      faults = {
        at(minutes(4), clock_jump "B2" { amount = days(30) }),
        at(minutes(8), kill "B1" { duration = minutes(5) }),
      },
      expect = { reaches "segment_deleted", reaches "leader_elected", violates "silent-drop" },
    },
    case "the leader's clock, retention_bytes=1GB" {
      why = "A limit by size asks no clock.",
      set = { retention = 0, retention_bytes = 1000000000 },
      faults = { at(minutes(4), clock_jump "leader orders/0" { amount = days(30) }) },
      expect = { holds "silent-drop", holds "lost-message" },
    },
  },
}
