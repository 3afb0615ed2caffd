-- A key is deleted by a record without a value, a tombstone. How long must it stay in the log?
--
-- The topic is compacted, and K builds a table from it. K has read a = 1 when its process comes to stand
-- for a day and a half: a suspended machine, a long migration. Meanwhile P deletes a. The
-- tombstone is the last record of its key, so compaction keeps it, for delete.retention.ms: one day from
-- the first time that the cleaner has seen it. Then it goes, and with it the last trace of the key.
--
-- K goes on where it was. There is no record of a behind its position any more, and no error; so in K's
-- table a stays, for ever. A table that is built from the beginning is right: it finds nothing of a.
-- The two will never agree.
--
-- Readers of such a topic must catch up within delete.retention.ms, or begin anew with an empty table.
-- With seven days the tombstone is still there when K comes back.
--
-- Source: KIP-534; Cleaner.shouldRetainRecord, MemoryRecords.filterTo (delete horizon).
return scenario {
  title = "A tombstone is gone before a reader has seen it",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { users = { partitions = 1, replicas = 1, cleanup_policy = "compact", segment_time = hours(1) } },
  marks = { "read_delete", "deleted_key_lives_on" },
  clients = {
    client "P" { program = function(c)
      c:sleep(seconds(5))
      c:send("users", { key = "a", body = "a = 1" })
      c:sleep(minutes(5))
      c:send("users", { key = "a", tombstone = true, body = "delete-a" })
      for n = 1, 36 do
        c:sleep(hours(1))
        c:send("users", { key = "u" .. n, body = "u" .. n .. " = 1" })
      end
    end },
    client "K" { auto_offset_reset = "earliest", program = function(c)
      local rows = {}
      c:assign("users", "beginning")
      for _ = 1, 60 do
        for _, m in ipairs(c:poll(minutes(1))) do
          rows[m.key] = not m.tombstone and m.body or nil
          if m.tombstone then c:mark("read_delete", m.key) end
          c:processed(m)
        end
        if rows.a and rows.u36 then c:mark("deleted_key_lives_on", rows.a) end
      end
    end },
  },
  faults = { at(minutes(1), pause "K" { duration = hours(36) }) },
  run_for = hours(37),
  expect = { reaches "log_compacted", holds "lost-message" },
  cases = {
    case "delete_retention=1d" {
      why = "The default: a day after it was first seen the tombstone goes.",
      set = { delete_retention = days(1) },
      expect = { reaches "deleted_key_lives_on", violates "silent-drop" },
    },
    case "delete_retention=7d" {
      why = "The reader comes back in time.",
      set = { delete_retention = days(7) },
      expect = { reaches "read_delete", holds "silent-drop" },
    },
  },
}
