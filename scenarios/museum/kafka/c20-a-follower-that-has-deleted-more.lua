-- The nearest replica says that your position is out of range. Is it gone?
--
-- C reads from the replica in its own rack (client.rack): the leader B1 has told it to go to B3. C is slow
-- and has a long way to go. Then the clock of B3 jumps ahead by thirty days. The records of the last minutes
-- are a month old now, for B3, and within five minutes it deletes its copy of them. B1 has them all.
--
-- C asks B3 for its next record, and B3 answers OFFSET_OUT_OF_RANGE. It is right, as far as it goes. A client
-- that takes this for the word of the partition starts over as auto.offset.reset says: with `latest` it skips
-- everything up to the end, although the leader would have served it; with `earliest` it reads all of it again.
--
-- A follower may begin later than its leader, or end earlier: retention is each broker's own affair. So a
-- client must ask the leader before it gives a position up. B1 knows by now where B3 begins, and serves C
-- itself, until C has come so far that B3 has what it wants.
--
-- Source: KIP-392; FetchCollector.handleInitializeErrors; ReplicaManager.findPreferredReadReplica.
return scenario {
  title = "A follower that has deleted more than its leader",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, racks = "r1,r2,r3", replica_selector = "rack_aware",
  },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = seconds(2), size = 100000, start_at = seconds(15) },
    consumer "C" {
      topics = { "orders" }, client_rack = "r3", auto_offset_reset = "earliest",
      start_at = minutes(4), work = seconds(10),
    },
  },
  faults = { at(seconds(270), clock_jump "B3" { amount = days(30) }) },
  run_for = minutes(18),
  expect = {
    reaches "reads_from_follower", reaches "segment_deleted", reaches "follower_out_of_range", holds "silent-drop",
  },
  cases = {
    case "believed, and on from the latest" {
      why = "What the follower lacks is skipped.",
      set = { out_of_range_asks_leader = false, auto_offset_reset = "latest", seek_to = 0 },
      expect = { reaches "position_reset", violates "lost-message" },
    },
    case "believed, and again from the earliest" {
      why = "The leader still has the beginning: C reads it twice.",
      set = { out_of_range_asks_leader = false },
      expect = { reaches "position_reset", holds "lost-message", violates "duplicate-delivery" },
    },
    case "the leader is asked first" {
      why = "It has the records, and serves them.",
      set = { auto_offset_reset = "latest", seek_to = 0 },
      expect = { reaches "reads_from_leader_again", holds "lost-message", holds "duplicate-delivery" },
    },
  },
}
