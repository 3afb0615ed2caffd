-- The members of a share group take records as they come, one here, one there. What if one of them takes long?
--
-- Orders of four customers stand in one partition. P1-3 needs 20 s of work, all others 2 ms. Whoever gets P1-3 is busy
-- with it, and the other member does all the rest meanwhile: nothing is blocked by one slow record, which is why people
-- want share groups. Two prices are paid for that.
--
-- Order: P1-7 is of the same customer as P1-3, and is worked on before it. A partition keeps records in order, and a
-- consumer group hands the partition to one member, so that its order is kept to the end: it would wait the 20 s. A share
-- group has no order to keep.
-- The window: the leader keeps a window from the oldest record that is not finished to the newest that was handed out,
-- and all in it count, finished or not. At group.share.partition.max.record.locks it hands out nothing new. P1-3 holds
-- the lower end: with 200 (the default of 4.0) the other member soon has nothing to do, and the whole partition waits for
-- the slow one after all. With 2000 (the default now) this story does not get there; a longer one would.
-- (KIP-932; SharePartition.canAcquireRecords, numInFlightRecords.)
return scenario {
  title = "One slow record among many",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, share_auto_offset_reset = "earliest" },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 300, keys = 4, every = ms(20), start_at = seconds(8) },
    consumer "K1" {
      topics = { "orders" }, group = "shipping", group_protocol = "share", auto_offset_reset = "earliest", max_poll_records = 1,
      work = ms(2), work_slow_message = "P1-3", work_slow = seconds(20),
    },
    consumer "K2" {
      topics = { "orders" }, group = "shipping", group_protocol = "share", auto_offset_reset = "earliest", max_poll_records = 1,
      work = ms(2), work_slow_message = "P1-3", work_slow = seconds(20),
    },
  },
  run_for = seconds(40),
  cases = {
    case "shared" {
      why = "The rest goes on, and overtakes.",
      expect = { violates "key-order-violation", holds "lost-message", holds "visibility-double-processing" },
    },
    case "shared, a small window" {
      why = "It overtakes until the window is full; then all wait for the slow one.",
      set = { share_record_locks = 200 },
      expect = { violates "key-order-violation", reaches "share_partition_full", holds "lost-message" },
    },
    case "owned by one member" {
      why = "A consumer group keeps the order, and waits.",
      set = { group_protocol = "classic" },
      expect = { holds "key-order-violation", holds "lost-message" },
    },
  },
}
