-- A consumer stands still, is taken for dead, and wakes up. Who stops what it was about to write?
--
-- K1 has read a message and stands still, longer than its session lasts: K2 gets the place, and writes what came later. Then
-- K1 goes on with its next line, which is a write. Neither the broker nor K1 itself can know in time: any check that K1 makes
-- lies before the write, and it may stand still between the two. Only the place that is written to can refuse.
--
-- So each write carries a number that grows, a fencing token: the store remembers the highest, and refuses what is lower. Where
-- the number comes from matters. Taken from a counter by whoever believes to be the owner, it may be taken by one who stood
-- still between being given the place and asking for the number: the late one then has the higher number. It must come with the
-- ownership itself, or from what is written: here, the message's position in its place.
--
-- Source: Martin Kleppmann, "How to do distributed locking" (2016).

local function transaction(c, db, work)
  while true do
    local t = db:begin()
    local result = work(t)
    local r = t:commit()
    if r.ok then return result end
    c:sleep(ms(20 + c:random(80)))
  end
end

local function consumer(c)
  local db, store, tokens = c:database("leases"), c:outside("store"), {}
  c:subscribe("updates")
  while true do
    local batch = c:poll(ms(500))
    for _, place in ipairs(c.options.token == "counter" and batch.assigned or {}) do
      tokens[place] = transaction(c, db, function(t)
        local row = t:get("leases", place).row
        local token = (row and row.token or 0) + 1
        t:put("leases", place, { token = token, owner = c.name })
        return token
      end)
    end
    for _, m in ipairs(batch) do
      local token = c.options.token == "position" and m.position or c.options.token == "counter" and tokens[m.place] or nil
      local r
      repeat
        r = store:call("write", { message = m, key = m.place, token = token })
      until r.ok or r.error == "STALE_TOKEN"
      -- Refused, or not the owner any more, for all it knows: it goes on where the group stands.
      if not r.ok or not c:commit(m.place, m.position + 1).ok then
        c:seek(m.place, m.position)
        break
      end
    end
  end
end

return scenario {
  title = "The write of a process that was taken for dead",
  chapter = "docs/patterns/README.md",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = { updates = { partitions = 1, replicas = 1 } },
  services = { database "leases" { tables = { "leases" } }, outside "store" { fencing = true } },
  knobs = { token = "position" },
  clients = {
    producer "P1" { topic = "updates", records = 80, every = ms(150), start_at = seconds(4), keys = 1 },
    client "K1" { group = "writers", auto_offset_reset = "earliest", session_timeout = seconds(6), program = consumer },
    client "K2" { group = "writers", auto_offset_reset = "earliest", session_timeout = seconds(6), program = consumer },
  },
  links = { latency = ms(5), spread = ms(2) },
  faults = {
    between(seconds(6), seconds(14), 3, pause "K1" { duration = seconds(9) }, pause "K2" { duration = seconds(9) }, isolate "K1" { duration = seconds(9) }, kill "K2" { duration = ms(500) }),
  },
  run_for = seconds(60),
  cases = {
    case "no token" {
      why = "It writes what the other has written over long ago.",
      set = { token = "none", ["store.fencing"] = false },
      expect = { finds "stale-effect" },
    },
    case "a counter, for whoever believes to be the owner" {
      why = "Who stood still before it asked has the highest number.",
      set = { token = "counter" },
      expect = { finds "stale-effect" },
    },
    case "the position of the message" {
      why = "A lower one than the highest is refused, whoever says it.",
      expect = { holds "stale-effect", holds "effect-lost" },
    },
  },
}
