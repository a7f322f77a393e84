//! A figure's controls for its template: a fold for each, with its drawing.

use std::sync::Arc;

use super::figure::{shown_in, state};
use super::scene::Scene;
use super::settled::Settled;
use super::sweep::key;
use crate::note::Block;
use crate::plan::{Control, Controlled, Lacking, Wanted, controlled};
use crate::view::ControlView;

impl<'a> Scene<'a> {
    /// The controls of a block's figure on a page.
    pub(super) fn control_views(
        &self,
        index: usize,
        number: usize,
        page: &str,
    ) -> Vec<ControlView<'a>> {
        let all: &'a [Arc<Control>] =
            self.plan.controls(index).get(number).map(Vec::as_slice).unwrap_or_default();
        let settled: &'a [Settled] =
            self.controls[index].get(number).map(Vec::as_slice).unwrap_or_default();
        let block = &self.notes[index].blocks[number];
        let label = self.figure_label(page, index, Some(&block.id)).unwrap_or_default();
        let view =
            |(at, (control, settled)): (usize, (&'a Arc<Control>, &'a Settled))| ControlView {
                id: format!("{}-control-{}", block.id, at + 1),
                title: format!("Controls: {}", control.title),
                label: format!("{label}, controls"),
                alt: None,
                state: match &control.wanted {
                    Wanted::Sweep(sweep) => self.sweep_state(page, sweep, settled, None),
                    wanted => state(settled, wanted, control.block.kind),
                },
                key: key(&control.wanted),
                data: self.data_view(page, settled),
                units: self.unit_names(page, shown_in(settled)),
            };
        all.iter().zip(settled).enumerate().map(view).collect()
    }
}

impl Scene<'_> {
    /// The controls that a block's figure lacks, in a sentence; empty if it lacks none.
    pub(super) fn controls_lacking(&self, index: usize, number: usize) -> String {
        let all = self.plan.lacking(index).get(number).map(Vec::as_slice).unwrap_or_default();
        if all.is_empty() {
            return String::new();
        }
        let one = |lacking: &Lacking| format!("{} ({})", lacking.title, lacking.why);
        let all: Vec<String> = all.iter().map(one).collect();
        format!("Controls left out: {}.", all.join("; "))
    }

    /// Who decided that a block's figure has no controls, in words; empty if nobody did.
    pub(super) fn controls_off(&self, block: &Block) -> &'static str {
        match controlled(self.config, block) {
            Controlled::OffHere => "Controls are off for this figure.",
            Controlled::OffEverywhere => "Controls are off in this garden.",
            Controlled::On | Controlled::Never | Controlled::Unset => "",
        }
    }
}
