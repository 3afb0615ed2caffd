-- A group has read a topic for a long time, and has committed. What can auto.offset.reset still change?
--
-- It counts wherever the group has no position, and that is so for every new partition. An operator adds one. The
-- producer hears of it within two seconds here, and writes to it. The consumer asks for metadata every five minutes,
-- the default of metadata.max.age.ms. Only then does it join its group again, is given the new partition, and asks how
-- far the group has got there: nowhere. It reads a first record, and before its first commit of it the process is
-- killed. It comes back soon, but the old self must first be put out, and again the group has no position.
--
-- First case: "latest". Twice the consumer begins at the end: five minutes late, and after the crash. What was written
-- in between is passed over, without an error and without a lag that anybody could see. The checker calls lost what
-- came after the group had taken the partition; of what came before, the group had said that it did not want it.
-- Whoever set "latest" meant the day on which the group was first started, and not this one.
-- Second case: "earliest". It hears of the partition as late, begins with its first record, and after the crash again:
-- some come twice, and none is missing.
--
-- Source: metadata.max.age.ms, auto.offset.reset; ConsumerCoordinator (metadataSnapshot), KIP-1106 (reset by duration).
return scenario {
  title = "A new partition, and a group that begins at the end",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, partitions_max = 2, replicas = 3 } },
  clients = {
    producer "P1" {
      topic = "orders", records = 2000, every = ms(200), start_at = seconds(10), keys = 10,
      metadata_max_age = seconds(2),
    },
    consumer "K1" { topics = { "orders" }, group = "readers", assignors = "range", session_timeout = seconds(10) },
  },
  faults = {
    at(seconds(60), command("controller", "add_partitions", "orders 2")),
    when(op "deliver ok" { from = "K1", place = "orders/1" }, after(ms(100), kill "K1" { duration = seconds(2) })),
  },
  run_for = minutes(8),
  expect = { reaches "partitions_added", reaches "member_expired" },
  cases = {
    case "latest" {
      why = "No position, so the end of now: what was written before is passed over.",
      set = { auto_offset_reset = "latest" },
      expect = { violates "lost-message", holds "duplicate-delivery" },
    },
    case "earliest" {
      why = "No position, so the first record.",
      set = { auto_offset_reset = "earliest" },
      expect = { holds "lost-message", violates "duplicate-delivery" },
    },
  },
}
