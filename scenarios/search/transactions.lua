-- Anything may come late, twice or never. Do transactions hold?
--
-- Three producers commit two transactions and abort the third, again and again, over three partitions. Two of them have the
-- same transactional id, and take it from each other; another one also reads; a reader at read_committed looks on. Nothing
-- here is a schedule for one bug: the seed draws six faults, and when. A request of any kind, or its answer, is held up for
-- less or more than its client waits, is lost, or comes twice; connections break; one direction falls silent; brokers and
-- clients stand still or die; partitions get another leader, those of the coordinators too. `--seeds 1..1000` is the search.
--
-- What it finds before TV2 is KAFKA-17754. At TV1 it is the sixth seed already: P2's EndTxn is held up for 900 ms, P2 asks
-- again on another connection and goes on, and the late one commits the half of the next transaction that is there. P2 then
-- aborts it. At TV2 each transaction has an epoch of its own, and the late one is refused. Where a marker may have the epoch
-- of the records (before KIP-1228), a marker that comes twice still ends what it does not know.
--
-- Of seeds 1 to 200: tv0 shows G1a in 9 and a torn transaction in 11, tv1 in 9 and 6, librdkafka in 11 and 5, markers of the
-- same epoch in 1 and 2, tv2 in none, nor in any of 20,000. A transaction that hangs takes more: at tv0 8 of 1,000 seeds.
--
-- Sources: KIP-890, KIP-1228; KAFKA-17754; Jepsen, Bufstream 0.1.0 (2024).

local function start(c)
  while not c:call("init_transactions").ok do
    c:call("new_producer")
    c:sleep(ms(50))
  end
end

-- Of no use any more: fenced, or worse. The next one ends what is open and fences in turn.
local function renew(c)
  c:call("new_producer")
  start(c)
end

-- A call that took too long is asked again until somebody knows.
local function abort(c)
  local r = c:abort()
  while r.outcome == "info" do r = c:abort() end
  if not r.ok then renew(c) end
end

local function commit(c)
  local r = c:commit_transaction()
  while r.outcome == "info" do r = c:commit_transaction() end
  if not r.ok then abort(c) end
end

local function work(c)
  local reads = c.name == "P2"
  if reads then c:assign("t", "beginning") end
  if c.name == "P3" then c:sleep(ms(900 + c:random(1200))) end
  local life = tostring(c:now())
  start(c)
  for n = 1, 8 do
    if c:begin().ok then
      local sends = {}
      for i = 1, 2 + c:random(2) do
        sends[i] = c:send_async("t", { body = ("%s %s %d.%d"):format(c.name, life, n, i), partition = c:random(3) - 1 })
        if c:random(3) == 1 then c:wait(sends[i]) end
        if reads and c:random(2) == 1 then c:poll(ms(20)) else c:sleep(ms(c:random(60))) end
      end
      if n % 3 == 0 then abort(c) else commit(c) end
    else
      renew(c)
    end
    c:sleep(ms(c:random(100)))
  end
  while reads do c:poll(seconds(1)) end
end

local function writer(name, id)
  return client(name) {
    program = work, transactional_id = id, transaction_timeout = seconds(3), linger = 0, request_timeout = ms(600), delivery_timeout = ms(900),
    max_block = seconds(2), reconnect_backoff_max = ms(200), retry_backoff_max = ms(200), isolation = "read_committed",
  }
end

local faults = {}
local function may(weight, fault)
  for _ = 1, weight do faults[#faults + 1] = fault end
end
for _, kind in ipairs { "Produce", "AddPartitionsToTxn", "EndTxn", "InitProducerId", "WriteTxnMarkers" } do
  local often = (kind == "Produce" or kind == "EndTxn") and 2 or 1
  for _, long in ipairs { ms(300), ms(900), ms(2500) } do may(often, delay(kind) { amount = long }) end
  for _, later in ipairs { ms(50), ms(400) } do may(often, duplicate(kind) { amount = later }) end
  may(1, drop(kind) {})
  may(1, drop(kind .. "Reply") {})
  may(1, delay(kind .. "Reply") { amount = ms(900) })
end
for _, who in ipairs { "P1", "P2", "one broker" } do
  may(1, reset_streams { from = who })
  for _, long in ipairs { ms(700), ms(1500), ms(4000) } do may(1, pause(who) { duration = long }) end
  if who ~= "P2" then
    for _, long in ipairs { ms(300), ms(2500) } do may(1, kill(who) { duration = long }) end
  end
  may(1, one_way { from = who, to = "one broker", duration = ms(800) })
  may(1, one_way { from = "one broker", to = who, duration = ms(800) })
end
may(2, isolate "one broker" { duration = ms(2500) })
for _, place in ipairs { "t/0", "t/1", "t/2", "__transaction_state/0", "__transaction_state/1" } do
  for _, broker in ipairs { "B1", "B2", "B3" } do may(1, command("C1", "elect", place .. " " .. broker)) end
end

return scenario {
  title = "Transactions under any faults",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, transaction_partitions = 2, offsets_partitions = 1, transaction_timeout_check = seconds(1),
    heartbeat_interval = ms(500), session_timeout = ms(1500), replica_lag_max = seconds(2), replica_fetch_backoff = ms(200), request_timeout = seconds(1),
  },
  topics = { t = { partitions = 3 } },
  clients = {
    writer("P1", "tx-1"), writer("P2", "tx-2"), writer("P3", "tx-1"),
    consumer "K" { topics = { "t" }, isolation = "read_committed", auto_offset_reset = "earliest", request_timeout = seconds(1) },
  },
  links = { latency = ms(2), spread = ms(2) },
  faults = { between(ms(700), ms(2500), 6, table.unpack(faults)) },
  run_for = seconds(8),
  expect = { reaches "transactional_producer_ready" },
  cases = {
    case "tv0" {
      why = "A late request falls into the next transaction of its producer.",
      set = { transactions = "tv0" },
      expect = { finds "G1a", finds "torn-transaction" },
    },
    case "tv1" {
      why = "The leader asks whether a transaction may begin. Of how it ends nobody is asked.",
      set = { transactions = "tv1" },
      expect = { finds "G1a", finds "torn-transaction" },
    },
    case "tv2, librdkafka" {
      why = "A client that speaks the old version has one epoch for all its transactions.",
      set = { client_library = "librdkafka" },
      expect = { finds "G1a", finds "torn-transaction" },
    },
    case "tv2, a marker may have the epoch of the records" {
      why = "As before KIP-1228: what is left is a marker that comes twice.",
      set = { strict_marker_epoch = false },
      expect = { finds "torn-transaction" },
    },
    case "tv2" {
      why = "A transaction has an epoch of its own: what comes late is refused.",
      expect = { holds "G1a", holds "torn-transaction", holds "hung-transaction", holds "lost-message", holds "lost-write" },
    },
  },
}
