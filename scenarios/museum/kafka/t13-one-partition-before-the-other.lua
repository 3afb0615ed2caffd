-- A transaction takes money from one account and gives it to another. Can somebody see it taken, and not given?
--
-- Yes. All or nothing is a promise about what will be seen, not about when. A transaction ends with a marker in each of
-- its partitions, written by different brokers at different times, and a reader of two partitions is served by two brokers
-- that do not wait for each other. P1 takes from accounts/1, gives to accounts/0, and commits. The marker of accounts/0 is two
-- seconds late: the auditor has read the withdrawal, and there is no deposit.
-- With both in one partition there is one marker, and between two records no moment in which only one is decided.
--
-- And two transactions that write the same two partitions? Nothing keeps them apart. P1 writes in accounts/1 before P2, and P2
-- in accounts/0 before P1, and both commit: if the last record of each partition is what counts, half of each counts. It
-- is a cycle of writes (G0), which every database forbids. Kafka has no locks and orders writes within a partition only.
--
-- None of this is a fault, and no setting changes it. Put what must be seen together into one partition, or one record. Or let
-- the reader put it together: the transfer's number in both records, and what is not complete is not looked at yet.
-- Source: Jepsen's tests.kafka (why G0 is allowed for Kafka); KIP-98, Transactional Guarantees; Adya 1999.

-- One transfer, the second part a second after the first.
local function transfer(c, first, second)
  c:begin()
  c:send("accounts", { body = c.name .. " takes", partition = first })
  c:sleep(seconds(1))
  c:send("accounts", { body = c.name .. " gives", partition = second })
  c:commit_transaction()
end

local function auditor(c)
  local open, said = {}, nil
  c:assign("accounts", "beginning")
  while true do
    for _, m in ipairs(c:poll(ms(500))) do
      local who, what = m.body:match("(%w+) (%w+)")
      open[who] = (open[who] or 0) + (what == "takes" and 1 or -1)
    end
    local all = 0
    for _, n in pairs(open) do all = all + (n == 0 and 0 or 1) end
    local now = all > 0 and "half_of_it" or next(open) and "all_of_it" or nil
    if now and now ~= said then c:mark(now) end
    said = now
  end
end

return scenario {
  title = "One partition before the other",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { accounts = { partitions = 2, replicas = 3 } },
  marks = { "half_of_it", "all_of_it" },
  knobs = { from = 1, to = 0, second_at = seconds(30) },
  clients = {
    client "P1" { transactional_id = "p1", program = function(c)
      c:sleep(seconds(10))
      transfer(c, c.options.from, c.options.to)
    end },
    client "P2" { transactional_id = "p2", program = function(c)
      c:sleep(c.options.second_at)
      transfer(c, c.options.to, c.options.from)
    end },
    client "K1" { isolation = "read_committed", program = auditor },
  },
  faults = {
    when(sent "EndTxn" { from = "P1" }, hold "WriteTxnMarkers" { to = "leader accounts/0", label = "late" }),
    when(op "end_commit ok" { from = "P1" }, after(seconds(2), release "late")),
  },
  run_for = seconds(40),
  expect = { reaches "all_of_it", holds "torn-transaction", holds "G1a", holds "lost-message" },
  cases = {
    case "two partitions" {
      why = "Two markers, two brokers, two moments.",
      expect = { reaches "half_of_it", holds "G0" },
    },
    case "one partition" {
      why = "One marker decides both.",
      set = { from = 0, to = 0 },
      expect = { holds "G0" },
    },
    case "two at once" {
      why = "Each comes first in one partition.",
      set = { second_at = ms(10500) },
      expect = { violates "G0" },
    },
  },
}
