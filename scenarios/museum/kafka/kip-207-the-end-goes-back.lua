-- Where does the log end? A monitor asks twice, and the second answer is smaller.
--
-- B1 leads and has told K that the log ends at 8: that is its high watermark. A follower learns the
-- leader's high watermark with the answer to its next fetch, so B2's still says 7 when B1 dies. B2
-- leads. It has all records, but what it may call the end is its high watermark, and that rises only
-- when the other follower has fetched; here those fetches are slow.
--
-- So for a while B2 says 7, after B1 had said 8. Nothing is lost, and yet whoever computes a lag from
-- it gets nonsense, and whoever begins "at the end" gets a record that others had seen long before.
--
-- The fix: everything that an earlier leader may have called committed lies below the offset where
-- the new leader's epoch begins. Until its high watermark has got there, a leader answers
-- OFFSET_NOT_AVAILABLE, and the client asks again.
--
-- Source: KIP-207, KAFKA-2334; Partition.fetchOffsetForTimestamp.
return scenario {
  title = "A new leader names an earlier end",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 8, every = seconds(1), start_at = seconds(2) },
    client "K" { metadata_max_age = seconds(1), program = function(c)
      c:sleep(seconds(5))
      for _ = 1, 300 do
        c:end_offset("orders/0")
        c:sleep(ms(100))
      end
    end },
  },
  faults = {
    -- B2 gets the eighth record, but not the news that it is committed.
    when(op "send invoke" { from = "P1", nth = 8 },
      hold "Fetch" { from = "B2", to = "B1", nth = 2 },
      after(ms(500), kill "B1" { duration = seconds(30) })),
    when(mark "leader_elected" { nth = 2 },
      hold "Fetch" { from = "B3", to = "B2", label = "slow" },
      after(seconds(3), release "slow")),
  },
  run_for = seconds(45),
  expect = { reaches "leader_elected", holds "lost-message" },
  cases = {
    case "its high watermark" {
      why = "What it says may lag behind what the old leader said.",
      set = { list_offsets_kip207 = false },
      expect = { violates "end-regression" },
    },
    case "not before its own epoch begins" {
      why = "No answer is better than an older one.",
      set = { list_offsets_kip207 = true },
      expect = { holds "end-regression" },
    },
  },
}
