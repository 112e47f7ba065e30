//! The courses that a change may take: how its recipes are carried out, and when its steps run.

use crate::plan::{Phase, PhaseKind, Way};

/// One course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Course {
    /// The migration as it was written, while the application runs.
    AsWritten,
    /// The steps of a way, one release after the other.
    Steps(Way),
    /// The steps of a way, with reads that move for a share of the users at a time: behind a flag, or as the release reaches the instances.
    Gradual,
    /// What can be done beside the running release is done before; the rest in a window.
    Prepared,
    /// The migration as it was written, while nobody uses the application.
    Window,
}

impl Course {
    /// Every course, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::AsWritten,
        Self::Steps(Way::View),
        Self::Steps(Way::Triggers),
        Self::Steps(Way::Application),
        Self::Gradual,
        Self::Prepared,
        Self::Window,
    ];

    /// Its name, on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::AsWritten => "as-written",
            Self::Steps(way) => way.id(),
            Self::Gradual => "gradual-cutover",
            Self::Prepared => "prepared-window",
            Self::Window => Way::Window.id(),
        }
    }

    /// The course with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.id() == id)
    }

    /// All names, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::id).join(", ")
    }

    /// How its migrations are carried out; `None` where the file stays as it is.
    pub fn way(self) -> Option<Way> {
        match self {
            Self::AsWritten => None,
            Self::Steps(way) => Some(way),
            Self::Gradual | Self::Prepared => Some(Way::Triggers),
            Self::Window => Some(Way::Window),
        }
    }

    /// Whether the application is stopped for a part of it.
    pub fn stops(self) -> bool {
        matches!(self, Self::Prepared | Self::Window)
    }

    /// Its name for people.
    pub fn title(self, phases: &[Phase]) -> &'static str {
        match self {
            Self::AsWritten => "As it is written",
            Self::Steps(Way::View) => "A view or another stand-in under the old name",
            Self::Steps(Way::Application) => "The application writes old and new",
            Self::Steps(Way::Window) | Self::Window => "One step in a maintenance window",
            Self::Steps(Way::Triggers) if crate::recipes::keep_in_step(phases) => {
                "Database triggers keep old and new in step"
            }
            Self::Steps(Way::Triggers) => "Online steps",
            Self::Gradual => "Reads move for a share of the users at a time",
            Self::Prepared => "Prepared beside the traffic, finished in a short window",
        }
    }
}

/// The steps of a course that run while the application is stopped: in a window all of them, else those from the first release on.
pub fn stopped_from(course: Course, phases: &[Phase]) -> Option<usize> {
    match course {
        Course::Window => Some(0),
        Course::Prepared => phases.iter().position(|phase| phase.releases().next().is_some()),
        _ => None,
    }
}

/// Whether a release of these phases moves reads from the old to the new.
pub fn moves_reads(phases: &[Phase]) -> bool {
    phases.iter().any(|phase| phase.kind == PhaseKind::Cutover && phase.releases().next().is_some())
}
