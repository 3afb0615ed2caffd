-- An epoch is a number of two bytes. What comes after the last one?
--
-- A new producer id, which begins at epoch 0. At TV2 each transaction takes an epoch, so a
-- producer that commits ten times a second comes there every hour. (Here producer_epoch_max
-- makes it the third.) The id changes with the end of the last transaction. A late EndTxn of
-- that one has the old id, and is refused or answered with what became of it; both are right.
--
-- Until KAFKA-20090 there was one way past the end. P's last transaction is open for too long,
-- and the coordinator aborts it, which takes an epoch too: the one behind the last, that nobody
-- is to get. It kept the id then, because the producer was fenced and had to come again anyway.
-- But P knows nothing yet, and asks for the abort itself. The coordinator sees a request with
-- the epoch before, takes it for a repetition, and answers with success and with its present
-- epoch. So P goes on in it. It can write; but to end this transaction takes an epoch, and there
-- is none. The coordinator throws, for P's commit, for the timeout, and for a new producer of
-- this id. The transaction stays open, and nobody who reads committed records gets past it.
--
-- The rule now: the id changes with the end of that transaction, whoever ended it.
--
-- Source: KAFKA-20090, KAFKA-19367, KAFKA-18660.
return scenario {
  title = "The last epoch",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, producer_epoch_max = 2, transaction_timeout_check = seconds(1),
  },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "last_epoch", "last_ended", "went_on", "began_anew" },
  knobs = { think = seconds(0) },
  clients = {
    client "P" {
      transactional_id = "web", linger = 0, transaction_timeout = seconds(5), request_timeout = seconds(2),
      program = function(c)
        local function transact(...)
          c:begin()
          for _, body in ipairs { ... } do c:send("orders", body) end
          return c:commit_transaction()
        end
        c:sleep(seconds(5))
        transact("a")
        transact("b")
        c:begin()
        c:send("orders", "c")
        c:mark("last_epoch")
        c:sleep(c.options.think)
        local ended = c.options.think > seconds(0) and c:abort() or c:commit_transaction()
        c:mark("last_ended", ended.outcome)
        c:begin()
        c:send("orders", "x")
        c:sleep(seconds(1))
        c:send("orders", "y")
        ended = c:commit_transaction()
        c:mark("went_on", ended.outcome .. " " .. (ended.error or ""))
        c:call("new_producer")
        ended = transact("d")
        c:mark("began_anew", ended.outcome .. " " .. (ended.error or ""))
      end,
    },
    client "W" { transactional_id = "till", linger = 0, program = function(c)
      c:sleep(seconds(40))
      for _, body in ipairs { "w1", "w2" } do
        c:begin()
        c:send("orders", body)
        c:commit_transaction()
      end
    end },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
  },
  run_for = seconds(60),
  expect = { reaches "last_epoch", reaches "went_on", reaches "began_anew", holds "G1a" },
  cases = {
    case "the id changes" {
      why = "The end of the last transaction brings a new id.",
      expect = { holds "hung-transaction", holds "lost-message" },
    },
    case "the id changes, a late EndTxn" {
      why = "It is of a producer id that is over.",
      faults = {
        when(mark "last_epoch", hold "EndTxn" { from = "P", nth = 1, label = "late" }),
        when(mark "last_ended", after(ms(500), release "late")),
      },
      expect = { reaches "request_timed_out", holds "hung-transaction", holds "lost-message" },
    },
    case "the transaction was timed out" {
      why = "As well if the coordinator ended it.",
      set = { think = seconds(10) },
      expect = { reaches "transaction_timed_out", holds "hung-transaction", holds "lost-message" },
    },
    case "the transaction was timed out, and the id stays" {
      why = "The epoch behind the last one is told, and a transaction begins that cannot be ended.",
      set = { think = seconds(10), rotate_when_fenced = false },
      expect = { reaches "transaction_timed_out", violates "hung-transaction", violates "lost-message" },
    },
  },
}
