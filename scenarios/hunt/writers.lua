-- Programs that write in transactions: what does each rule of transactions prevent?
--
-- Three producers commit two transactions and abort the third, again and again, over three partitions. Two have the same
-- transactional id, and take it from each other; one also reads what it writes; a reader at read_committed looks on, another one
-- comes late. Now and then one thinks for longer than a transaction may be open. Epochs are used up soon, so that the last of them
-- is met. The hunt draws what goes wrong.
--
--   mqlab score scenarios/hunt/writers.lua --hunt 10000

-- False: nobody answers, or nobody will have it. Then it gives up.
local function start(c)
  for _ = 1, 20 do
    if c:call("init_transactions").ok then return true end
    c:call("new_producer")
    c:sleep(ms(50))
  end
  return false
end

-- Of no use any more: fenced, or worse. The next one ends what is open and fences in turn.
local function renew(c)
  c:call("new_producer")
  return start(c)
end

-- A call that took too long is asked again, as long as nobody knows.
local function finish(c, call)
  local r = call(c)
  for _ = 1, 20 do
    if r.outcome ~= "info" then break end
    r = call(c)
  end
  return r.ok
end

local function abort(c) return finish(c, c.abort) or renew(c) end
local function commit(c) return finish(c, c.commit_transaction) or abort(c) end

local function work(c)
  local reads = c.name == "P2"
  if reads then c:assign("t", "beginning") end
  if c.name == "P3" then c:sleep(ms(900 + c:random(1200))) end
  local life = tostring(c:now())
  local going = start(c)
  for n = 1, 9 do
    if not going then break end
    if c:begin().ok then
      local sends = {}
      for i = 1, 2 + c:random(2) do
        sends[i] = c:send_async("t", { body = ("%s %s %d.%d"):format(c.name, life, n, i), partition = c:random(3) - 1 })
        if c:random(3) == 1 then c:wait(sends[i]) end
        if reads and c:random(2) == 1 then c:poll(ms(20)) else c:sleep(ms(c:random(60))) end
      end
      local late = c:random(8) == 1
      if late then c:sleep(ms(2500 + c:random(2500))) end
      local aborts = n % 3 == 0 or late and c:random(2) == 1
      going = (aborts and abort or commit)(c)
    else
      going = renew(c)
    end
    c:sleep(ms(c:random(3) == 1 and c:random(1500) or c:random(100)))
  end
  while reads do c:poll(seconds(1)) end
end

local function writer(name, id)
  return client(name) {
    program = work, transactional_id = id, transaction_timeout = seconds(3), linger = 0, request_timeout = ms(600), delivery_timeout = ms(900),
    max_block = seconds(2), reconnect_backoff_max = ms(200), retry_backoff_max = ms(200), isolation = "read_committed",
  }
end

return scenario {
  title = "Transactions, hunted",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, transaction_partitions = 2, offsets_partitions = 1, transaction_timeout_check = seconds(1),
    heartbeat_interval = ms(500), session_timeout = ms(1500), replica_lag_max = seconds(2), replica_fetch_backoff = ms(200), request_timeout = seconds(1),
    producer_epoch_max = 4,
  },
  topics = { t = { partitions = 3 } },
  clients = {
    writer("P1", "tx-1"), writer("P2", "tx-2"), writer("P3", "tx-1"),
    consumer "K" { topics = { "t" }, isolation = "read_committed", auto_offset_reset = "earliest", request_timeout = seconds(1) },
    consumer "LATE" { topics = { "t" }, isolation = "read_committed", auto_offset_reset = "earliest", start_at = seconds(6), request_timeout = seconds(1) },
  },
  links = { latency = ms(2), spread = ms(2) },
  run_for = seconds(12),
  hunt = {
    faults = "anything", faults_max = 6, options = { transactions = { "tv2", "tv1" } },
    messages = {
      "Produce", "ProduceReply", "FetchReply", "InitProducerId", "InitProducerIdReply", "AddPartitionsToTxn", "AddPartitionsToTxnReply", "EndTxn",
      "EndTxnReply", "WriteTxnMarkers", "WriteTxnMarkersReply",
    },
  },
}
