-- What keeps a late batch out when its producer has a successor?
--
-- P gives a batch up, which is still under way in the network, and aborts. Then its process
-- stands still. P2 takes its place, under the same transactional id. The coordinator knows the
-- id, and gives P2 the same producer id with a newer epoch. With P2's first batch the partition
-- knows that epoch as well, and from then on P's batch is too old. That is the fence: one
-- number, known in both places.
--
-- But a coordinator forgets an id that nobody uses for transactional.id.expiration.ms (a week;
-- here half a minute). If P2 comes only then, it gets a new producer id. No partition will ever
-- learn a newer epoch of the old one. There is no fence, and at TV0 the late batch begins a
-- transaction that nobody will end. P itself is stopped all the same, when it wakes: its id
-- means somebody else now.
--
-- From TV1 on the leader asks the coordinator, who says that this id has another producer.
--
-- Source: KIP-890; transactional.id.expiration.ms; KAFKA-14402.
return scenario {
  title = "A transactional id that was forgotten",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2,
    transactional_id_expiration = seconds(30), transactional_id_expiration_check = seconds(5),
  },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "given_up", "successor_wrote", "woke_up" },
  clients = {
    -- The coordinator of this id is not the broker that leads orders/0, so the connection that is held up carries
    -- nothing but the batch.
    client "P" {
      transactional_id = "web", linger = 0, request_timeout = seconds(6), delivery_timeout = seconds(6),
      program = function(c)
        c:sleep(seconds(5))
        c:begin()
        local sent = c:send("orders", "late")
        local ended = c:abort()
        c:mark("given_up", "send " .. sent.outcome .. ", abort " .. ended.outcome)
        c:sleep(seconds(1))
        c:begin()
        sent = c:send("orders", "zombie")
        c:mark("woke_up", "send " .. sent.outcome .. " " .. (sent.error or ""))
      end,
    },
    client "P2" { transactional_id = "web", linger = 0, program = function(c)
      c:sleep(seconds(60))
      for _, body in ipairs { "a", "b", "c" } do
        c:begin()
        c:send("orders", body)
        c:commit_transaction()
        c:mark("successor_wrote", body)
        c:sleep(seconds(5))
      end
    end },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest", isolation = "read_committed" },
  },
  faults = {
    at(seconds(4), hold "Produce" { from = "P", nth = 1, label = "late" }),
    when(mark "given_up", pause "P" { duration = seconds(70) }),
    when(mark "successor_wrote", after(seconds(1), release "late")),
  },
  run_for = seconds(100),
  expect = { reaches "given_up", reaches "successor_wrote", reaches "woke_up", holds "G1a" },
  cases = {
    case "TV0, the id is remembered" {
      why = "The partition knows the successor's epoch.",
      set = { transactions = "tv0", transactional_id_expiration = days(7) },
      expect = { reaches "producer_fenced", holds "hung-transaction", holds "lost-message" },
    },
    case "TV0, the id is forgotten" {
      why = "The successor is somebody else, and the old epoch the newest of its producer.",
      set = { transactions = "tv0" },
      expect = { reaches "transactional_id_expired", violates "hung-transaction", violates "lost-message" },
    },
    case "TV1, the id is forgotten" {
      why = "The leader asks, and the id has another producer.",
      set = { transactions = "tv1" },
      expect = { reaches "transactional_id_expired", reaches "transaction_not_verified", holds "hung-transaction", holds "lost-message" },
    },
    case "TV2, the id is forgotten" {
      why = "So it does here.",
      set = { transactions = "tv2" },
      expect = { reaches "transactional_id_expired", reaches "transaction_not_verified", holds "hung-transaction", holds "lost-message" },
    },
  },
}
