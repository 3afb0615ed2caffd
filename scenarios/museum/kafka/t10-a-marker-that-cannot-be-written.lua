-- The commit was answered: success. When do readers see what was committed?
--
-- A commit is a record in the coordinator's own log; with that it is decided and answered. What readers wait for is another
-- record, a marker in each partition that took part, and the coordinator writes those afterwards. A marker is written
-- like any record, with acks=all. So each partition must be able to take it.
--
-- P1 writes an order and its payment in one transaction. Between the last answer and the commit the follower of payments
-- dies. Of its two replicas one is left, min.insync.replicas is 2: payments takes nothing more, no marker either.
-- P1's commit succeeds. The marker of orders is written, and its readers get the order at once. The marker of payments is
-- refused, sent again, refused, for as long as the replica is down: for its readers the payment is undecided, and with it all
-- that comes after. P1 is told nothing of this. But its next transaction can't begin: the coordinator is not done with the old
-- one, answers CONCURRENT_TRANSACTIONS, and the library asks again and again, until the replica is back.
--
-- Nothing is lost, and nothing is torn in the end. For as long as it takes, a transaction is seen by half. With a third
-- replica the partition outlives the loss of one, and so does the marker.
-- Source: TransactionMarkerChannelManager; KIP-98; TransactionCoordinator.endTransaction.

local function shop(c)
  c:sleep(seconds(10))
  for i = 1, 2 do
    local began = c:now()
    c:begin()
    c:send("orders", { body = "order " .. i })
    c:send("payments", { body = "payment " .. i })
    if i == 2 then c:mark(c:now() - began > seconds(5) and "had_to_wait" or "at_once") end
    c:sleep(seconds(15)) -- until the cluster knows who is gone
    c:commit_transaction()
  end
end

-- Looks at both, and says when it has seen an order for five seconds whose payment it can't see.
local function auditor(c)
  local since = {}
  c:assign("orders", "beginning")
  c:assign("payments", "beginning")
  while true do
    for _, m in ipairs(c:poll(seconds(1))) do
      local what, n = m.body:match("(%a+) (%d+)")
      if what == "order" and since[n] == nil then since[n] = c:now() end
      if what == "payment" then since[n] = false end
    end
    for n, t in pairs(since) do
      if t and c:now() - t > seconds(5) then
        since[n] = false
        c:mark("half_of_it", "order " .. n .. " is there, and no payment")
      end
    end
  end
end

return scenario {
  title = "A marker that cannot be written",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 4, controllers = 1, min_insync = 2, replica_lag_max = seconds(10) },
  topics = { orders = { partitions = 1, replicas = 3 }, payments = { partitions = 1, replicas = 2 } },
  marks = { "had_to_wait", "at_once", "half_of_it" },
  clients = {
    client "P1" { transactional_id = "shop", transaction_timeout = minutes(5), program = shop },
    client "K1" { isolation = "read_committed", program = auditor },
  },
  faults = {
    when(op "send ok" { from = "P1", place = "payments/0" }, kill "B3" { duration = seconds(35) }), -- B2 leads payments/0
  },
  run_for = seconds(90),
  expect = {
    reaches "isr_shrunk", reaches "markers_written",
    holds "torn-transaction", holds "hung-transaction", holds "lost-message", holds "G1a",
  },
  cases = {
    case "two replicas" {
      why = "One is gone, and the partition takes no marker.",
      expect = { reaches "not_enough_replicas", reaches "half_of_it", reaches "had_to_wait" },
    },
    case "three replicas" {
      why = "Two are left, and both markers are written at once.",
      set = { ["payments.replicas"] = 3 },
      expect = { reaches "at_once" },
    },
  },
}
