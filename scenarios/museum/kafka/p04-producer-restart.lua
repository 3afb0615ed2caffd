-- A producer dies and starts again. Does the broker still know what it had sent?
--
-- P1 reads its messages from a table of its own and is idempotent. The fourth one is written, its
-- answer is lost, and the process dies before it could ask again. The new process finds in its table
-- that number four was never confirmed, and sends it. But to the broker it is another producer: it has
-- a new producer id, and sequence numbers are compared within one id only. Number four stands in the
-- log twice. Idempotence lasts for one session of one producer.
--
-- Without transactions there is only the choice of the harm. With replay=false the new process goes on
-- after the last message that it had tried, and nothing is written twice. But had the request been
-- lost instead of the answer, nobody would ever send number four: the third case, where C finds a gap.
-- The application can't tell the two apart. What closes both holes is a transactional.id, which names
-- the application instead of the process, or a key in each message by which the reader drops copies.
--
-- Source: KIP-98 (guarantees hold within one producer session); the class comment of KafkaProducer.
return scenario {
  title = "A restarted producer is a stranger to the broker",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "gap" },
  clients = {
    producer "P1" { topic = "orders", records = 8, every = seconds(1), start_at = seconds(5), window = 1 },
    client "C" { auto_offset_reset = "earliest", program = function(c)
      c:assign("orders", "beginning")
      local highest = 0
      while true do
        for _, m in ipairs(c:poll(seconds(1))) do
          local number = tonumber(m.body:match("%d+$"))
          if number > highest + 1 then c:mark("gap", "after " .. highest .. " comes " .. number) end
          if number > highest then highest = number end
          c:processed(m)
        end
      end
    end },
  },
  faults = {
    when(sent "Produce" { from = "P1", nth = 4 },
      drop "ProduceReply" { from = "leader orders/0", to = "P1" },
      after(seconds(2), kill "P1" { duration = seconds(3) })),
  },
  run_for = seconds(60),
  expect = { reaches "killed", reaches "restarted" },
  cases = {
    case "replay=true" {
      why = "Sends again what was not confirmed, under a new producer id.",
      set = { replay = true },
      expect = { violates "duplicate" },
    },
    case "replay=false" {
      why = "Goes on after the last one that was tried.",
      set = { replay = false },
      expect = { holds "duplicate" },
    },
    case "replay=false, and the request is lost" {
      why = "Goes on all the same, and the fourth is nowhere.",
      set = { replay = false },
      only_faults = {
        at(seconds(7), drop "Produce" { from = "P1", nth = 2 }),
        when(op "send invoke" { from = "P1", nth = 4 }, after(seconds(2), kill "P1" { duration = seconds(3) })),
      },
      expect = { reaches "gap", holds "duplicate" },
    },
  },
}
