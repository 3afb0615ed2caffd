#include "sim/world/disk.h"

#include <algorithm>

namespace mqlab {
namespace {

Time rounded_up(Time t, Duration step) {
  const Time up = saturating_add(t, step - 1);
  return up == time_max ? time_max : up / step * step;
}

}  // namespace

const char* disk_result_name(DiskResult r) {
  static constexpr const char* names[] = {"ok", "full", "failed"};
  return names[static_cast<std::size_t>(r)];
}

const char* rung_name(Rung r) {
  static constexpr const char* names[] = {"nowhere", "page cache", "device cache", "platter"};
  return names[static_cast<std::size_t>(r)];
}

Disk::File& Disk::file(FileId id) {
  if (id >= files_.size()) files_.resize(id + 1);
  files_[id].used = true;
  return files_[id];
}

// Of the steps already reached only the furthest of each kind matters, and of those to come only what
// goes further.
void Disk::forget_steps(File& f, Time now) {
  std::int64_t platter = 0, cache = 0;
  for (const Step& s : f.steps)
    if (s.from <= now) (s.device_cache ? cache : platter) = std::max(s.device_cache ? cache : platter, s.end);
  std::erase_if(f.steps, [&](const Step& s) { return s.from <= now || (s.end <= platter && !s.device_cache); });
  if (cache > platter) f.steps.insert(f.steps.begin(), {cache, now, true});
  if (platter > 0) f.steps.insert(f.steps.begin(), {platter, now, false});
}

// From `from` on, the units below `end` are on the platter.
void Disk::reach(File& f, std::int64_t end, Time from) {
  for (auto s = f.steps.rbegin(); s != f.steps.rend() && s->from >= from; ++s)
    if (s->from == from && !s->device_cache) {
      s->end = std::max(s->end, end);
      return;
    }
  f.steps.push_back({end, from, false});
}

DiskResult Disk::write(FileId id, std::int64_t end, Time now) {
  if (full) return DiskResult::full;
  File& f = file(id);
  if (end <= f.written) return DiskResult::ok;
  f.written = end;
  // Flushed by age, on the next whole second: fine enough, and it keeps the list short.
  reach(f, end, rounded_up(saturating_add(now, std::max<Duration>(options.writeback_after, 0)), 1'000'000'000));
  if (f.steps.size() > 64) forget_steps(f, now);
  return DiskResult::ok;
}

DiskResult Disk::sync(FileId id, Time done, Time now) {
  File& f = file(id);
  if (sync_fails) {
    std::int64_t clean = 0;
    for (const Step& s : f.steps)
      if (s.from <= done) clean = std::max(clean, s.end);
    if (f.lost_from < 0 && clean < f.written) f.lost_from = clean;
    return DiskResult::failed;
  }
  if (sync_lies) return DiskResult::ok;
  if (options.honest_device) {
    std::erase_if(f.steps, [&](const Step& s) { return s.from >= done; });
    f.steps.push_back({f.written, done, false});
  } else {
    f.steps.push_back({f.written, done, true});
    reach(f, f.written, rounded_up(saturating_add(done, std::max<Duration>(options.device_flush_after, 0)), 100'000'000));
  }
  if (f.steps.size() > 64) forget_steps(f, now);
  return DiskResult::ok;
}

void Disk::truncate(FileId id, std::int64_t end) {
  File& f = file(id);
  end = std::max<std::int64_t>(end, 0);
  f.written = std::min(f.written, end);
  for (Step& s : f.steps) s.end = std::min(s.end, end);
  if (f.lost_from >= f.written) f.lost_from = -1;  // the hole is gone with what it was in
  f.corrupt.erase(std::lower_bound(f.corrupt.begin(), f.corrupt.end(), end), f.corrupt.end());
}

void Disk::remove(FileId id) {
  if (id < files_.size()) files_[id] = File{};
}

std::int64_t Disk::written(FileId id) const {
  const File* f = find(id);
  return f ? f->written : 0;
}

std::int64_t Disk::durable(FileId id, Time now) const {
  const File* f = find(id);
  if (!f) return 0;
  std::int64_t end = 0;
  for (const Step& s : f->steps)
    if (s.from <= now && !s.device_cache) end = std::max(end, s.end);
  return f->lost_from >= 0 ? std::min(end, f->lost_from) : end;
}

bool Disk::dirty(Time now) const {
  for (FileId id = 0; id < files_.size(); ++id)
    if (files_[id].used && durable(id, now) < files_[id].written) return true;
  return false;
}

Rung Disk::rung(FileId id, std::int64_t unit, Time now) const {
  const File* f = find(id);
  if (!f || unit >= f->written) return Rung::nowhere;
  if (unit < durable(id, now)) return Rung::platter;
  for (const Step& s : f->steps)
    if (s.from <= now && s.device_cache && unit < s.end) return Rung::device_cache;
  return Rung::page_cache;
}

void Disk::corrupt(FileId id, std::int64_t unit) {
  File& f = file(id);
  const auto at = std::lower_bound(f.corrupt.begin(), f.corrupt.end(), unit);
  if (at == f.corrupt.end() || *at != unit) f.corrupt.insert(at, unit);
}

bool Disk::is_corrupt(FileId id, std::int64_t unit) const {
  const File* f = find(id);
  return f && std::binary_search(f->corrupt.begin(), f->corrupt.end(), unit);
}

void Disk::write_back(Time now) {
  for (File& f : files_) {
    if (!f.used) continue;
    f.steps.clear();
    f.steps.push_back({f.written, now, false});
  }
}

std::vector<Survivor> Disk::power_loss(Time now) {
  std::vector<Survivor> out;
  for (FileId id = 0; id < files_.size(); ++id) {
    File& f = files_[id];
    if (!f.used) continue;
    const std::int64_t end = durable(id, now);
    Survivor s{id, end, {}};
    if (torn && end < f.written) {
      // The unit that was being written reached the platter in part: it is there, and wrong.
      s.kept = end + 1;
      ++torn_units;
      corrupt(id, end);
    }
    f.written = s.kept;
    f.lost_from = -1;
    f.corrupt.erase(std::lower_bound(f.corrupt.begin(), f.corrupt.end(), s.kept), f.corrupt.end());
    s.corrupt = f.corrupt;
    f.steps.clear();
    f.steps.push_back({s.kept, now, false});
    out.push_back(std::move(s));
  }
  torn = false;
  return out;
}

std::vector<Survivor> Disk::process_loss() const {
  std::vector<Survivor> out;
  for (FileId id = 0; id < files_.size(); ++id)
    if (files_[id].used) out.push_back({id, files_[id].written, files_[id].corrupt});
  return out;
}

}  // namespace mqlab
