-- A group was stopped for a day and two hours. Where does it begin to read when it is back?
--
-- Where it has committed, one would think. But the brokers keep a group's positions for a while only: when nobody has
-- been in the group for offsets.retention.minutes, they are dropped, and the group is as one that never was. The
-- records are still there, they are kept for a month; only the number is gone that said which of them were done. Nobody
-- is told. auto.offset.reset decides then, which most people have set once and for the first start only:
--
--   earliest  everything in the log is read and worked on again
--   latest    what came while the group was away is never read
--   none      the first poll fails, and somebody has to say where to begin
--
-- A day was the default up to Kafka 1.1; since then it is a week (KIP-186), and the clock begins when the last member
-- leaves (KIP-211), not with the last commit. A job that runs once a month has the same trouble with a week.
--
-- Source: KIP-186, KIP-211; ClassicGroup.offsetExpirationCondition, GroupMetadataManager.cleanupExpiredGroupMetadata.
local function report(c)
  c:sleep(seconds(3))
  c:subscribe("orders")
  while true do
    local orders = c:poll(seconds(10))
    if orders.error then
      c:mark("told", orders.error)
      return c:close()
    end
    for _, m in ipairs(orders) do c:processed(m) end
  end
end

return scenario {
  title = "A group that was away for a day",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka {
    brokers = 1, controllers = 1, offsets_replicas = 1, offsets_partitions = 1, offsets_retention = days(1),
  },
  topics = { orders = { partitions = 1, replicas = 1, retention = days(30) } },
  marks = { "told" },
  clients = {
    producer "P" { topic = "orders", records = 160, every = minutes(10), start_at = seconds(10) },
    client "operator" { group = "report", program = function(c)
      c:sleep(seconds(1))
      c:commit("orders/0", 0)
    end },
    client "K" { group = "report", program = report },
  },
  faults = { at(minutes(65), stop "K" { duration = hours(26) }) },
  run_for = minutes(1640),
  cases = {
    case "earliest" {
      why = "All is read again.",
      set = { auto_offset_reset = "earliest" },
      expect = { reaches "offset_expired", violates "duplicate-delivery", holds "lost-message" },
    },
    case "latest" {
      why = "A day is never read.",
      set = { auto_offset_reset = "latest" },
      expect = { reaches "offset_expired", violates "lost-message", holds "duplicate-delivery" },
    },
    case "none" {
      why = "Nobody guesses.",
      set = { auto_offset_reset = "none" },
      expect = { reaches "offset_expired", reaches "told", holds "duplicate-delivery" },
    },
    case "offsets_retention=7d" {
      why = "It goes on where it was.",
      set = { offsets_retention = days(7), auto_offset_reset = "none" },
      expect = { holds "lost-message", holds "duplicate-delivery" },
    },
  },
}
