#include "gui/core/find_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "gui/core/labels.h"

namespace mqlab::gui {
namespace {

constexpr std::size_t tell_every = 256;  // events

}  // namespace

std::string Found::complaint(const Recording& r, const Predicate& p, Direction d) const {
  if (event || called_off) return {};
  const std::string what = p.text();
  if (looked_at == 0) return fmt::format("there is no event {} this one", d == Direction::forward ? "after" : "before");
  const std::string range = fmt::format("#{} to #{} ({} to {})", from, to, format_time(r.time_of(from)), format_time(r.time_of(to)));
  if (was_true) return fmt::format("`{}` is true here, and {} it is not true again in {}", what, d == Direction::forward ? "once it ends" : "before that", range);
  return fmt::format("`{}` is never true in {}", what, range);
}

Found find_event(const Recording& r, const Predicate& p, std::size_t now, Direction d, const std::function<bool(std::size_t done, std::size_t all)>& progress) {
  Found out;
  const MomentWish wish = wish_of(p);
  const std::size_t all = d == Direction::forward ? r.events() - 1 - now : now;
  const auto tell = [&](bool always = false) {
    if (progress && (always || out.looked_at % tell_every == 0)) out.called_off = !progress(out.looked_at, all);
    return !out.called_off;
  };
  r.moments(now, now, wish, [&](const Moment& m) {
    out.was_true = holds(p, m);
    return false;
  });
  bool was_false = !out.was_true;  // somewhere between here and there
  if (all == 0 || !tell(true)) return out;
  if (d == Direction::forward) {
    out.from = now + 1;
    out.to = r.events() - 1;
    r.moments(now + 1, r.events() - 1, wish, [&](const Moment& m) {
      ++out.looked_at;
      if (!holds(p, m)) was_false = true;
      else if (was_false) out.event = m.event;
      return !out.event && tell();
    });
    return out;
  }
  out.to = now - 1;
  for (std::size_t end = now; end > 0 && !out.event;) {
    const std::size_t begin = r.cheap_before(end - 1);
    std::vector<bool> is;
    r.moments(begin, end - 1, wish, [&](const Moment& m) {
      ++out.looked_at;
      is.push_back(holds(p, m));
      return tell();
    });
    if (out.called_off) return out;
    for (std::size_t i = is.size(); i-- > 0 && !out.event;) {
      if (!is[i]) was_false = true;
      else if (was_false) out.event = begin + i;
    }
    out.from = begin;
    end = begin;
  }
  return out;
}

}  // namespace mqlab::gui
