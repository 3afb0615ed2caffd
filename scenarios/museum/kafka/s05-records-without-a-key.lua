-- An operator turns a topic into a compacted one. What becomes of records that have no key?
--
-- Compaction keeps the last record of each key. A record without a key can't be the last of anything:
-- the cleaner drops it, whatever its age. P1 has sent its first fifty records without keys when the
-- topic's cleanup.policy is changed from delete to compact. At the next cleaning all of them are gone
-- that lie in closed segments. C was only to read them in the evening.
--
-- From that moment on the leader refuses records without a key, with INVALID_RECORD, and with them the
-- whole batch in which they come. A producer that still sends such records is told so and does not try
-- again; that is the smaller harm.
--
-- With a key of its own in each record (an order's number, say) nothing is superseded, so nothing goes.
--
-- Source: Cleaner.shouldRetainRecord, LogValidator (InvalidRecordException).
return scenario {
  title = "Compaction drops what has no key",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3, segment_time = minutes(10) } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = minutes(1), start_at = seconds(5) },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = minutes(65) },
  },
  faults = { at(minutes(50), command("all broker", "cleanup_policy", "orders compact")) },
  run_for = minutes(66),
  expect = { reaches "cleanup_policy_changed", reaches "log_compacted" },
  cases = {
    case "no keys" {
      why = "None of them is the last of its key.",
      set = { keys = 0 },
      expect = { reaches "invalid_record", violates "silent-drop" },
    },
    case "a key for each record" {
      why = "Each is the last of its key.",
      set = { keys = 1000 },
      expect = { holds "silent-drop", holds "lost-message" },
    },
  },
}
