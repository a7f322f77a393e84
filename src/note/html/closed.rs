//! Removes everything from a body that would load from other hosts or run scripts, and puts a text in its place.

use neuronotes_core::cut::Cut as _;

use super::written::Body;
use crate::note::remote::without;

/// The body without external content.
pub(super) fn closed(mut body: Body) -> Body {
    let changes = without(&body.html);
    let mut html = String::with_capacity(body.html.len());
    let mut copied = 0;
    // Ends of changes in the old text, and how far all that follows moves.
    let mut moves: Vec<(usize, usize)> = Vec::with_capacity(changes.len());
    for (place, text) in &changes {
        html.push_str(body.html.cut(copied..place.start));
        html.push_str(text);
        copied = place.end;
        moves.push((place.end, html.len()));
    }
    html.push_str(body.html.cut(copied..));
    let moved = |at: usize| {
        let before = moves.partition_point(|(end, _)| *end <= at);
        let (end, now) = before.checked_sub(1).map_or((0, 0), |last| moves[last]);
        match changes.get(before) {
            // Inside removed text.
            Some((place, text)) if place.start < at => moves[before].1 - text.len(),
            _ => now + at - end,
        }
    };
    for block in &mut body.blocks {
        block.place = moved(block.place.start)..moved(block.place.end);
    }
    body.html = html;
    body.title = body.title.map(|title| {
        let mut title = title;
        for (place, text) in without(&title).into_iter().rev() {
            title.replace_range(place, &text);
        }
        title
    });
    body
}

#[cfg(test)]
mod tests {
    use super::super::{Parts, body};

    #[test]
    fn blocks_are_where_they_were_and_nothing_is_asked_of_other_hosts() {
        let text = "# A <img src=https://a.org/t.png>\n\nOne ![b](https://a.org/b.png) two.\n\n<script>\nx\n\ny</script>\n\nLast.\n";
        let open = body(text, Parts::default());
        let closed = body(text, Parts { closed: true, ..Parts::default() });
        assert_eq!(open.blocks.len(), closed.blocks.len());
        assert!(open.html.contains("<img") && open.html.contains("<script"));
        assert!(
            !closed.html.contains("<img") && !closed.html.contains("<script"),
            "{}",
            closed.html
        );
        assert!(closed.html.contains("b (https://a.org/b.png)"), "{}", closed.html);
        let last = closed.blocks.last().expect("a block");
        assert_eq!(closed.html[last.place.clone()].trim(), "<p>Last.</p>");
        let second = &closed.html[closed.blocks[1].place.clone()];
        assert!(
            second.starts_with("<p>One <span") && second.trim().ends_with("two.</p>"),
            "{second}"
        );
    }
}
