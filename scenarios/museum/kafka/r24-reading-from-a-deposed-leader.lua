-- A consumer has read everything, says its lag. Everything?
--
-- B1 leads and is cut off from the other brokers and from the controller, which elect B2. Nobody
-- tells B1, and no clock of its own ends its lead. K can reach all of them, and K knows B1: it goes
-- on fetching there, gets empty answers, and when it asks where the log ends, B1 names its old high
-- watermark. K stands just there, so its lag is 0. Meanwhile P1 writes to B2, and NEW has read it.
-- What K gets is old and never wrong: B1 can't commit anything alone, and it shows no more than it
-- had committed. But K misses what others have seen, for as long as it does not look for a leader.
--
-- The remedy: K asks for fresh metadata from time to time, by default every 5 minutes. As soon as it
-- knows the newer epoch it asks B2; and to B1 the epoch that comes with each question would be
-- proof that it was deposed. How old a read may be is up to this period, and to whom K asks.
-- Sources: metadata.max.age.ms; KIP-320 (UNKNOWN_LEADER_EPOCH); Partition has no lease of any kind.
return scenario {
  title = "Reading from a leader that was deposed",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 30, every = seconds(1), start_at = seconds(13), acks = "all" },
    consumer "NEW" { topics = { "orders" }, auto_offset_reset = "earliest" },
    client "K" {
      auto_offset_reset = "earliest",
      program = function(c)
        c:assign("orders", "beginning")
        local asked = false
        while true do
          for _, m in ipairs(c:poll(seconds(1))) do c:processed(m) end
          if not asked and c:now() > seconds(45) then
            asked = true
            c:log("the log ends at " .. c:end_offset("orders/0").position)
          end
        end
      end,
    },
  },
  faults = {
    -- K comes to know the cluster through B2 or B3.
    at(seconds(0), partition { { "K" }, { "B1" }, duration = seconds(11) }),
    at(seconds(20),
      partition { { "B1" }, { "B2", "B3", "C1", "P1", "NEW" } },
      reset_streams { from = "B1", to = { "P1", "NEW" } }),
  },
  run_for = seconds(60),
  expect = { reaches "leader_elected", holds "lost-message", holds "inconsistent-offsets" },
  cases = {
    case "metadata of 5 minutes" {
      why = "K does not look for a leader.",
      set = { ["K.metadata_max_age"] = minutes(5) },
      expect = { violates "stale-read" },
    },
    case "metadata of 5 seconds" {
      why = "K finds B2 before it asks.",
      set = { ["K.metadata_max_age"] = seconds(5) },
      expect = { holds "stale-read" },
    },
  },
}
