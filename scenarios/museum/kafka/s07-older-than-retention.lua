-- The topic keeps its records for an hour. How old is the oldest one that you can read?
--
-- Retention deletes whole segments, and a segment may go when its newest record is old enough. P writes
-- every twenty minutes, and at that pace a segment takes a week to be closed (segment.ms), or a gigabyte.
-- Each new record makes the segment young again, so the first record stays as long as somebody goes on
-- writing to its segment: a week, and an hour. Who promised to forget after an hour breaks that promise,
-- and nothing is wrong with the cluster.
--
-- The smaller the segments, the closer the promise. With segment.ms at ten minutes each record has a
-- segment of its own here, and the oldest that K finds is an hour old and a little more: the broker looks
-- for old segments every five minutes.
--
-- Source: UnifiedLog.deletableSegments, deleteRetentionMsBreachedSegments; LogSegment.shouldRoll.
return scenario {
  title = "Retention works on whole segments",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { visits = { partitions = 1, replicas = 1, retention = hours(1) } },
  marks = { "six_hours_old", "at_most_two_hours_old" },
  clients = {
    client "P" { program = function(c)
      c:sleep(seconds(5))
      for n = 0, 17 do
        c:send("visits", { body = "minute " .. n * 20 })
        c:sleep(minutes(20))
      end
    end },
    consumer "C" { topics = { "visits" }, auto_offset_reset = "earliest" },
    client "K" { auto_offset_reset = "earliest", program = function(c)
      c:sleep(minutes(359))
      c:assign("visits", "beginning")
      local first
      for _ = 1, 60 do
        for _, m in ipairs(c:poll(seconds(1))) do
          first = first or m
          c:processed(m)
        end
      end
      if not first then return end
      c:mark(first.position == 0 and "six_hours_old" or "at_most_two_hours_old", first.body)
    end },
  },
  run_for = minutes(361),
  expect = { holds "lost-message", holds "silent-drop" },
  cases = {
    case "segment_time=7d" {
      why = "The default: one segment, and it is never old.",
      set = { segment_time = days(7) },
      expect = { reaches "six_hours_old" },
    },
    case "segment_time=10min" {
      why = "A segment for each record, and each goes in its time.",
      set = { segment_time = minutes(10) },
      expect = { reaches "segment_rolled", reaches "segment_deleted", reaches "at_most_two_hours_old" },
    },
  },
}
