//! Text tables for the terminal.

/// Most characters of the rule under the last column: a sentence may be longer.
const LONGEST_RULE: usize = 48;

/// A table with a header line; columns are as wide as their widest cell.
pub struct Table {
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns by header; those that start with `>` are aligned right.
    pub fn new(headers: &[&str]) -> Self {
        let right = headers
            .iter()
            .map(|header| header.starts_with('>'))
            .collect();
        let names = headers
            .iter()
            .map(|header| header.trim_start_matches('>').to_owned())
            .collect();
        Self {
            right,
            rows: vec![names],
        }
    }

    /// Appends a row; missing cells are empty.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The table, indented by two spaces, with a rule under the header.
    pub fn render(&self) -> String {
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        let mut lines: Vec<String> = self
            .rows
            .iter()
            .map(|row| self.line(row, &widths))
            .collect();
        let last = widths.len().saturating_sub(1);
        let rule = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column == last {
                true => "─".repeat((*width).min(LONGEST_RULE)),
                false => "─".repeat(*width),
            })
            .collect::<Vec<_>>()
            .join("──");
        lines.insert(1, format!("  {rule}"));
        lines.join("\n")
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(widths).zip(&self.right) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            line.push_str("  ");
            if *right {
                line.push_str(&gap);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&gap);
            }
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align() {
        let mut table = Table::new(&["what", ">atoms"]);
        table.row(["a".to_owned(), "1,000".to_owned()]);
        table.row(["longer".to_owned(), "7".to_owned()]);
        assert_eq!(
            table.render(),
            "  what    atoms\n  ─────────────\n  a       1,000\n  longer      7"
        );
    }

    #[test]
    fn the_rule_does_not_follow_a_sentence() {
        let mut table = Table::new(&["what", "why"]);
        table.row(["a".to_owned(), "w".repeat(200)]);
        let rendered = table.render();
        let rule = rendered.lines().nth(1).unwrap_or_default();
        assert_eq!(rule.chars().count(), 2 + 4 + 2 + LONGEST_RULE);
    }
}
