-- Somebody answers a record that you have not seen. How can the answer be there before the question?
--
-- Every three seconds P1 writes an order. SHOP reads it from the leader B1 and at once writes what was shipped
-- to another topic, which B2 leads. AUDIT reads both. It has said which rack it is in (client.rack), and there
-- it finds B2, which leads the shipments and follows the orders. So for the orders B1 sends AUDIT to a follower.
--
-- A follower has each order as soon as anybody, but it shows only what it knows to be committed. That news (the
-- high watermark) comes with the answer to its next fetch, and when no other order comes, B1 keeps this fetch
-- for half a second (replica.fetch.wait.max.ms). So long the follower holds the order and shows it to nobody.
-- Meanwhile SHOP has answered it, and AUDIT reads the answer: it is committed, and its leader knows that.
--
-- Nothing is lost, and no promise is broken: Kafka orders the records of one partition. But who reads the short
-- way sees each partition at an age of its own. A steady load makes the gap small, since every record brings the
-- news of the one before. In the second case AUDIT names no rack, and reads from the leaders.
--
-- Source: KIP-392; KAFKA-9952 (the high watermark is no longer sent ahead to followers).
return scenario {
  title = "Reading from a follower: the answer before the question",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, racks = "r1,r2,r2", replica_selector = "rack_aware",
  },
  topics = { orders = { partitions = 1, replicas = 3 }, shipments = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = seconds(3), start_at = seconds(10) },
    client "SHOP" { auto_offset_reset = "earliest", program = function(c)
      c:assign("orders", "beginning")
      while true do
        for _, m in ipairs(c:poll(seconds(1))) do
          c:send_async("shipments", "shipped " .. m.body)
          c:processed(m)
        end
      end
    end },
    consumer "AUDIT" { topics = { "orders", "shipments" }, auto_offset_reset = "earliest" },
  },
  run_for = seconds(50),
  drain = false,  -- its last reader takes one topic after the other, and would see answers first by itself
  expect = { holds "lost-write", holds "fifo-violation" },
  cases = {
    case "from the replica in the rack" {
      why = "The follower waits for the news that the order is committed.",
      set = { ["AUDIT.client_rack"] = "r2" },
      expect = { reaches "reads_from_follower", violates "causal-violation" },
    },
    case "from the leaders" {
      why = "AUDIT names no rack.",
      expect = { holds "causal-violation" },
    },
  },
}
