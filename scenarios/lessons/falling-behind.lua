-- A reader is slower than the writer, and the log forgets. When do they meet, and who is told?
--
-- For an hour an order comes each second, and K1 takes two seconds for one. Orders are kept for twenty minutes. What
-- the reader reads grows older by half a second each second, and after fifty minutes the log's start overtakes it: the
-- segment in which it reads is deleted. Its next fetch is out of range, and auto.offset.reset decides:
--
--   earliest  it goes on at the new start, where it is the next to be overtaken: it loses a little, again and again
--   latest    it jumps to the end: all that it had not read is lost at a stroke, and it is up to date, for a while
--   none      its poll fails; this program gives up and tells somebody, who has to decide
--
-- In none of them has the producer an error, and in the first two the reader has none either. K2 and K3 are members of
-- the group and have nothing to do: there is one partition. With three partitions each has one, together they are
-- faster than the writer, and nothing is lost. With a longer retention nothing is lost either, as long as the load ends
-- some day: the reader is late, and there is time to notice.
--
-- Source: UnifiedLog.deleteRetentionMsBreachedSegments; FetchCollector.handleInitializeErrors; auto.offset.reset.
local function bill(c)
  c:sleep(seconds(3))  -- the operator comes first
  c:subscribe("orders")
  while true do
    local orders = c:poll(seconds(10))
    if orders.error then
      c:mark("told", orders.error)
      return c:close()
    end
    for _, m in ipairs(orders) do
      c:sleep(seconds(2))
      c:processed(m)
    end
  end
end

return scenario {
  title = "The log's start overtakes a slow reader",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3, retention = minutes(20), segment_time = minutes(5) } },
  marks = { "told" },
  clients = {
    producer "P" { topic = "orders", records = 3600, every = seconds(1), start_at = seconds(10), size = 10000 },
    -- The group begins at 0 whatever the policy, as kafka-consumer-groups --reset-offsets --to-earliest does it.
    client "operator" { group = "billing", program = function(c)
      c:sleep(seconds(1))
      c:commit("orders/0", 0)
    end },
    client "K1" { group = "billing", max_poll_records = 100, program = bill },
    client "K2" { group = "billing", max_poll_records = 100, program = bill },
    client "K3" { group = "billing", max_poll_records = 100, program = bill },
  },
  run_for = minutes(130),
  expect = { reaches "segment_rolled" },
  cases = {
    case "earliest" {
      why = "Go on with what is left, and be overtaken again.",
      set = { auto_offset_reset = "earliest" },
      expect = { reaches "segment_deleted", reaches "position_reset", violates "silent-drop" },
    },
    case "latest" {
      why = "Give up all that was missed.",
      set = { auto_offset_reset = "latest" },
      expect = { reaches "segment_deleted", reaches "position_reset", violates "silent-drop" },
    },
    case "none" {
      why = "Stop, and let somebody decide.",
      set = { auto_offset_reset = "none" },
      expect = { reaches "segment_deleted", reaches "told", violates "silent-drop" },
    },
    case "retention=1d" {
      why = "Late, and not lost.",
      set = { auto_offset_reset = "earliest", retention = days(1) },
      expect = { holds "silent-drop", holds "lost-message" },
    },
    case "partitions=3" {
      why = "Three readers are faster than the writer.",
      set = { auto_offset_reset = "earliest", partitions = 3 },
      expect = { reaches "segment_deleted", holds "silent-drop", holds "lost-message" },
    },
  },
}
