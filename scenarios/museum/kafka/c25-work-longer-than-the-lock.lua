-- In a share group nobody owns a partition. A record is lent to one member, for a while. What if the work takes longer?
--
-- K1 takes P1-5 and works on it for 40 s. The leader of the partition has lent it for 30 s. It does not know what K1
-- does: when the time is over, the record is free, and K2 gets it, as its second delivery. For ten seconds both work on
-- it. K1 finishes first, and says so; the leader answers INVALID_RECORD_STATE, for the record is K2's now. The work of
-- K1 is done all the same, in the world outside.
--
-- The lock protects from members that die, and so it must end by itself. It is no protection from members that are slow.
-- First case: 30 s, the default. Second case: 60 s, the longest that the product allows; the work fits, nobody else gets
-- the record, and it is done once. What takes longer than that, or nobody knows how long, must not rest on the lock: the
-- work itself must bear to be done twice.
-- (KIP-932, "Acquisition lock"; SharePartition.releaseAcquisitionLockOnTimeout; group.share.record.lock.duration.ms.)
return scenario {
  title = "Work that takes longer than the record is lent",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, share_auto_offset_reset = "earliest" },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(100), start_at = seconds(4) },
    consumer "K1" {
      topics = { "orders" }, group = "workers", group_protocol = "share", ack = "accept", max_poll = 1,
      work = ms(20), work_slow_message = "P1-5", work_slow = seconds(40),
    },
    -- It comes when K1 is at work on P1-5, and does the rest.
    consumer "K2" {
      topics = { "orders" }, group = "workers", group_protocol = "share", ack = "accept", max_poll = 1,
      work = ms(20), start_at = seconds(8), work_slow_message = "P1-5", work_slow = seconds(20),
    },
  },
  run_for = seconds(60),
  cases = {
    case "lent for 30 s" {
      why = "The lock ends before the work: another member gets the record too.",
      expect = { violates "visibility-double-processing", violates "duplicate-delivery", reaches "record_lock_expired" },
    },
    case "lent for 60 s" {
      why = "The work fits into the lock.",
      set = { share_record_lock = seconds(60) },
      expect = { holds "visibility-double-processing", holds "duplicate-delivery", holds "lost-message" },
    },
  },
}
