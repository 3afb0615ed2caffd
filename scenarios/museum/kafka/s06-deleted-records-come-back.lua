-- Records were deleted on request, and the answer was "done". Are they gone?
--
-- DeleteRecords moves the start of a log: readers begin there from now on. The records below it still
-- stand in the segment's file, which goes only when all of it lies below the start. Where the log starts
-- is in memory; a checkpoint file has it too, written once a minute.
--
-- Ten seconds after the deletion every broker is killed: a bad release, a cluster that is restarted the
-- hard way. It needs no loss of power, and no data is lost. But the new processes find an old number in
-- the checkpoint, and each log begins at 0 again. K, who comes later and reads from the beginning, gets what
-- somebody had asked to be deleted.
--
-- After a minute the checkpoint has been written, and the same crash changes nothing. And it takes all
-- replicas: one that lives tells the others with their next fetch where the log starts.
--
-- Source: KIP-107; UnifiedLog.maybeIncrementLogStartOffset ("the deleteRecordsOffset may be lost only if
-- all in-sync replicas are shut down in an unclean manner within log.flush.start.offset.checkpoint.interval.ms").
local function all_killed(when_)
  return at(when_, kill { "B1", "B2", "B3", duration = seconds(5) })
end

return scenario {
  title = "Deleted records come back after a crash",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { users = { partitions = 1, replicas = 3 } },
  marks = { "deleted_record_read", "only_what_was_kept" },
  clients = {
    producer "P1" { topic = "users", records = 10, every = seconds(1), start_at = seconds(5) },
    consumer "C" { topics = { "users" }, auto_offset_reset = "earliest" },
    client "K" { auto_offset_reset = "earliest", program = function(c)
      c:sleep(minutes(6))
      c:assign("users", "beginning")
      local first
      for _ = 1, 20 do
        for _, m in ipairs(c:poll(seconds(1))) do
          first = first or m
          c:processed(m)
        end
      end
      if not first then return end
      c:mark(first.position < 8 and "deleted_record_read" or "only_what_was_kept", first.body)
    end },
  },
  faults = { at(seconds(70), command("leader users/0", "delete_records", "users/0 8")) },
  run_for = minutes(7),
  expect = { reaches "records_deleted", holds "lost-message", holds "silent-drop" },
  cases = {
    case "all killed ten seconds later" {
      why = "Nobody had written down where the log starts.",
      faults = { all_killed(seconds(80)) },
      expect = { reaches "log_start_fell_back", reaches "deleted_record_read" },
    },
    case "all killed a minute later" {
      why = "The checkpoint has it.",
      faults = { all_killed(seconds(140)) },
      expect = { reaches "only_what_was_kept" },
    },
    case "two killed ten seconds later" {
      why = "The third one knows.",
      faults = { at(seconds(80), kill { "B2", "B3", duration = seconds(5) }) },
      expect = { reaches "log_start_fell_back", reaches "only_what_was_kept" },
    },
  },
}
