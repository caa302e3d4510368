"""The figures of a paper: one module a figure, each a frame and a drawing of that frame.

styles       widths and type sizes of venues; how arms look in every figure
cells        shares with intervals over apps: what most figures plot
notes        what captions say of intervals, and of those that are not there
forest       paired differences by model and class
parts        boundary + distribution + scope
slopes       resolved against context budget and app size
tokens       tokens by kind and by context
stacked      the bars of tokens and failures
churn        lines changed and contexts edited, these over the solution's where it is known
pareto       cost against resolved
failures     what refused the unresolved trials
heatmap      tasks by model
calibration  oracle, nop and sabotages
plates       all of them, saved with their captions and the numbers they show
"""
